"""Fixtures for the tests of warm hosts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.warm.stubs import SOURCE, Stub


@pytest.fixture
def interpreter() -> Path:
    """The interpreter of stub hosts; modules that are about what runs inside of it measure that."""
    return Path(sys.executable)


@pytest.fixture
def stub(tmp_path: Path, interpreter: Path) -> Iterator[Stub]:
    """A stub host; no process of it may be left at the end."""
    made = Stub(tmp_path, interpreter)
    made.write_python(SOURCE)
    yield made
    assert made.leftovers() == []
