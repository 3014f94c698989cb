"""What ends a mission's finish."""

from __future__ import annotations


class Unfinished(Exception):
    """The mission could not be accepted or merged; the reason says what to do. Nothing was forced."""
