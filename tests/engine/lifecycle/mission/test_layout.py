"""Folders without which a host accepts no mission are named before anything is paid, with the command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kitty_run.engine.start_check import Obstacle
from kitty_run.profile.finish import Finish

from tests.engine.test_start_check import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "repo")


def laid_out(place: Place, finish: Finish | None = None) -> tuple[Obstacle, ...]:
    found = place.obstacles("mission-4", finish)
    return tuple(one for one in found if one.subject == "layout")


def test_a_folder_that_the_host_wants_of_the_mission_blocks_and_those_of_the_repository_are_said(
    place: Place,
) -> None:
    place.meta(topology="lanes", target_branch="work", mission_type="software-dev")
    place.repo.write("src/app.py", "")
    place.repo.commit("sources")
    found = laid_out(place)
    assert [
        (one.blocks, one.text.partition(" a folder ")[2].split(",")[0].split(":")[0]) for one in found
    ] == [
        (True, "kitty-specs/demo/contracts"),
        (False, "tests"),
        (False, "docs"),
    ]
    for one in found:
        command = one.text.split("`")[1]
        subprocess.run(
            ["sh", "-c", command.replace("commit", "-c user.name=T -c user.email=t@x commit")], check=True
        )
    assert laid_out(place) == ()
    assert place.repo.git("status", "--porcelain") == ""


def test_a_layout_that_is_waived_or_elsewhere_or_not_to_be_accepted_is_not_asked_for(place: Place) -> None:
    place.meta(topology="lanes", target_branch="work", mission_type="software-dev", contracts="none")
    place.repo.write(".kittify/config.yaml", "project: {path_conventions: {tests: spec/}}\n")
    place.repo.commit("elsewhere")
    assert laid_out(place) == ()
    place.meta(topology="lanes", target_branch="work", mission_type="software-dev")
    place.repo.commit("no waiver")
    assert len(laid_out(place)) == 1
    assert laid_out(place, Finish(accept=False)) == ()
    place.meta(topology="lanes", target_branch="work", mission_type="of a later host")
    place.repo.commit("unknown")
    assert laid_out(place) == ()
