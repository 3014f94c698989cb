"""A simulated spec-kitty: the same lane rules, guards and error codes as the real hosts, and no spec-kitty.

- `memory.SimHost`: in memory, for tests of what drives a host.
- `python -m kitty_run.host.sim`: a command that a profile can name as its host (`host.command`).
"""
