"""Preparing worktrees where the executor works: files copied into them, commands run in them."""
