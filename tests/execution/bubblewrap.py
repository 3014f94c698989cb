"""A real bubblewrap for the tests."""

from __future__ import annotations

from pathlib import Path

from tests import debian


def directory() -> Path:
    """The directory that holds `bwrap`; fails, and does not skip, where there is none to be had."""
    return debian.directory("bwrap", "bubblewrap")
