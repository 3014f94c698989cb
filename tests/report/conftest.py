"""Fixtures of the report room: each story is lived through once."""

from __future__ import annotations

from collections.abc import Callable
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
