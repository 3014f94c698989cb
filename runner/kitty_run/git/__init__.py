"""Git as the runner uses it: one way to call it, worktrees, trees, merges, proofs."""
