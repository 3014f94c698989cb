"""`kitty-run doctor`: what of this machine, host and profile works, what doesn't, and what to do."""
