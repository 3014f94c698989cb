"""Worktrees: listed, whole, clean, and what an attempt left in them."""
