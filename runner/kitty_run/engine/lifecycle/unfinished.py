"""What ends a mission's finish."""

from __future__ import annotations

from kitty_run.errors import ExitStatus, KittyRunError


class Unfinished(KittyRunError):
    """The mission could not be accepted or merged; the reason says what to do. Nothing was forced."""

    def __init__(self, reason: str, exit_status: ExitStatus = ExitStatus.INCOMPLETE) -> None:
        super().__init__(reason)
        self.exit_status = exit_status
