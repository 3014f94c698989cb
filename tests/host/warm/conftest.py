"""Fixtures for the tests of warm hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.warm.stubs import SOURCE, Stub
from tests.hosts import FEATURE_HOST, RealHost


@pytest.fixture
def stub(real_host: Callable[[str], RealHost], tmp_path: Path) -> Iterator[Stub]:
    """A stub host, run by a real host's interpreter; no process of it may be left at the end."""
    made = Stub(tmp_path, real_host(FEATURE_HOST).script.with_name("python"))
    made.write_python(SOURCE)
    yield made
    assert made.leftovers() == []
