"""Fixtures of the report room: each story is lived through once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.report.stories import STORIES, Told


@pytest.fixture(scope="session")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """`tell(NAME)`: the world after the story, to be looked at only; its root is `world.root`."""

    @cache
    def lived(name: str) -> Told:
        return STORIES[name](tmp_path_factory.mktemp(name))

    return lived


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown as on a machine in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
