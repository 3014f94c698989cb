"""A world that keeps its report, and what several stories share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kitty_run.engine.state.session_report import Report

from tests.engine.world import World

PAIR = {"WP01": [], "WP02": ["WP01"]}


FINDINGS = ["the empty list is not handled", "no test for it\nand none for the others"]


class Played(World):
    """A world that keeps its last run's report."""

    report: Report

    def run(self) -> Report:
        """One session, in virtual time."""
        self.report = super().run()
        return self.report


Story = Callable[[Path], Played]
