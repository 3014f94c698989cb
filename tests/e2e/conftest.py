"""Benches for end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from kitty_run.demo.spec import MissionSpec

from tests.e2e.bench import Bench
from tests.e2e.simulated_project import Place, make_place
from tests.hosts import RealHost

MakeBench = Callable[[str, MissionSpec], Bench]
MakePlace = Callable[..., Place]


@pytest.fixture
def bench(real_host: Callable[[str], RealHost], tmp_path: Path) -> Iterator[MakeBench]:
    """`bench(VERSION, SPEC)`; afterwards no process of its agents may be left."""
    made: list[Bench] = []

    def make(version: str, spec: MissionSpec) -> Bench:
        host = real_host(version)
        made.append(Bench(host, host.project(spec, tmp_path / "project"), tmp_path / "room"))
        return made[-1]

    yield make
    for one in made:
        assert one.processes() == []


@pytest.fixture
def make(tmp_path: Path) -> MakePlace:
    """`make(WP01=[], WP02=["WP01"])`: a project on the simulated host, its profile yet to be spoilt."""

    def made(**dependencies: Sequence[str]) -> Place:
        return make_place(tmp_path, dependencies)

    return made
