"""What a run may use: whether a limit is reached, as a pure function."""

from __future__ import annotations

from kitty_run.engine.memory import Usage
from kitty_run.profile.model import Limits


def reached(limits: Limits, usage: Usage, elapsed: float) -> str | None:
    """The first limit that `usage` and `elapsed` seconds have reached, in words; None where there is room."""
    if limits.cost_usd is not None and usage.cost_usd >= limits.cost_usd:
        return f"limits.cost_usd: {usage.cost_usd:.2f} of {limits.cost_usd:.2f} USD used"
    if limits.tokens is not None and usage.tokens >= limits.tokens:
        return f"limits.tokens: {usage.tokens} of {limits.tokens} used"
    if limits.wall_clock is not None and elapsed >= limits.wall_clock:
        return f"limits.wall_clock: {elapsed:.0f} of {limits.wall_clock:.0f} seconds used"
    return None
