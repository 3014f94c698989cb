"""One work package's life: claim, implementation, checks, review, rework, and the mission's finish."""
