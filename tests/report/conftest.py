"""Fixtures of the report room: each story is played once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.report.stories import STORIES, Played


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Played]:
    """`play(NAME)`: the world after the story, to be looked at only; its root is `world.root`."""

    @cache
    def world(name: str) -> Played:
        return STORIES[name](tmp_path_factory.mktemp(name))

    return world


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown as on a machine in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
