"""Missions made for demos and tests are what a real host calls ready."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from kitty_run.demo.spec import MissionSpec, Project, Topology, WorkPackageSpec

from tests.hosts import FEATURE_HOST, MISSION_HOST, RealHost

pytestmark = pytest.mark.real_host

CHAIN = (
    WorkPackageSpec("WP01", 'The "base" module', subtasks=("T001",)),
    WorkPackageSpec("WP02", "Count: words", ("WP01",), subtasks=("T002", "T003")),
)

Install = Callable[[str], RealHost]
Make = Callable[[str, MissionSpec], Project]


def git_status(project: Project) -> str:
    argv = ["git", "status", "--porcelain", "--untracked-files=no", ":!kitty-specs"]
    return subprocess.run(argv, cwd=project.root, capture_output=True, text=True, check=True).stdout


def states(reply: dict[str, object]) -> dict[str, tuple[str, list[str]]]:
    data = reply["data"]
    assert isinstance(data, dict)
    return {wp["wp_id"]: (wp["lane"], wp["dependencies"]) for wp in data["work_packages"]}


PLANNED = {"WP01": ("planned", []), "WP02": ("planned", ["WP01"])}


@pytest.mark.parametrize(
    "topology",
    [
        "coord",
        *(pytest.param(other, marks=pytest.mark.slow) for other in ("lanes", "single_branch", "legacy")),
    ],
)
def test_a_mission_host_knows_the_planned_mission(
    real_host: Install, real_project: Make, topology: Topology
) -> None:
    project = real_project(MISSION_HOST, MissionSpec("012-words", CHAIN, topology))
    reply = real_host(MISSION_HOST).reply("mission-state", "--mission", project.mission, cwd=project.root)
    assert states(reply) == PLANNED
    assert git_status(project) == ""


def test_a_feature_host_knows_the_written_mission(real_host: Install, real_project: Make) -> None:
    project = real_project(FEATURE_HOST, MissionSpec("012-words", CHAIN, None))
    reply = real_host(FEATURE_HOST).reply("feature-state", "--feature", project.mission, cwd=project.root)
    assert states(reply) == PLANNED
    assert git_status(project) == ""
