"""Profiles written from the format's description alone, each run as it is on the simulated host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import MakePlace
from tests.e2e.simulated_project import run

PROFILES = Path(__file__).resolve().parent / "profiles"
NAMES = sorted(path.stem for path in PROFILES.glob("*.yaml") if path.stem != "base")


@pytest.mark.whole
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_unchanged(make: MakePlace, name: str) -> None:
    place = make(WP01=[], WP02=["WP01"])
    status, text = run(
        PROFILES / f"{name}.yaml",
        "--mission",
        "m",
        "--repo",
        place.repo.path,
        "--set",
        f"/host/command={place.profile['host']['command']}",
    )
    assert status == 0, text
    merged = {"WP01.txt", "WP02.txt"} <= set(place.repo.files("work"))
    assert merged is (name != "no_merge"), text
