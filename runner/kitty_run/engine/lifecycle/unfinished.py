"""What ends a mission's finish."""

from __future__ import annotations

from kitty_run.errors import KittyRunError


class Unfinished(KittyRunError):
    """The mission could not be accepted or merged; the reason says what to do. Nothing was forced."""
