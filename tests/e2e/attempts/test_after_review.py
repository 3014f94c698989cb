"""On a real host too, what was reviewed is what is merged, whoever commits to its branch afterwards."""

from __future__ import annotations

import re

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import mission, wide
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, SIMULATED_LANES, later, real, slow
from tests.hosts import MISSION_HOST, NEXT_HOST


@pytest.mark.parametrize(
    PLACE,
    [
        SIMULATED,
        SIMULATED_LANES,
        *later("lanes", "coord"),
        slow(NEXT_HOST, "lanes"),
        slow(NEXT_HOST, "coord"),
    ],
)
def test_what_another_agent_commits_on_a_reviewed_branch_is_not_merged(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(2), topology))
    it.profile["concurrency"] = {"work_packages": 1}
    it.plan({"WP02": ["sneaks"]})
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    (told,) = it.events("branch.put_back")
    assert told["wp"] == "WP01"
    assert "sneaked in (backdoor.txt)" in told["foreign"][0]
    assert "backdoor.txt" in it.git("ls-tree", "--name-only", told["kept"])
    assert_no_force(it)
    assert_tidy(it)


@pytest.mark.parametrize(
    PLACE,
    [SIMULATED, SIMULATED_LANES, *later("lanes", "coord")],
)
def test_a_reviewer_sees_what_is_committed_and_rework_finds_what_was_installed(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(2), topology))
    it.plan({"WP01": ["installs"]}, {"WP01": ["looks_around"]})
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert ran.report["work_packages"]["WP01"]["cycles"] == 2
    assert it.events("review.discarded") == []
    assert_tidy(it)


@pytest.mark.parametrize(
    PLACE,
    [
        real(MISSION_HOST, "lanes"),
        slow(MISSION_HOST, "coord"),
        slow(NEXT_HOST, "lanes"),
        slow(NEXT_HOST, "coord"),
    ],
)
def test_what_lands_on_the_branch_that_lanes_are_merged_into_is_not_merged(
    bench: MakeBench, version: str, topology: Topology
) -> None:
    it = bench(version, mission(wide(2), topology))
    it.profile["concurrency"] = {"work_packages": 1}
    it.plan({"WP02": ["sneaks_below"]})
    ran = it.run()
    if topology == "coord":  # the host's own commits came after it
        assert ran.status == 1, ran.text
        command = re.findall(r"checked out: (git -C \S+ revert --no-edit [0-9a-f]+)", ran.text)[0]
        assert it.events("merge.started") == []
        it.git("reset", "-q", "--hard", cwd=it.root / ".worktrees" / f"{it.project.mission}-coord")
        it.git(*command.split()[1:])
        ran = it.run()
    else:
        (told,) = it.events("branch.put_back")
        assert "backdoor.txt" in it.git("ls-tree", "--name-only", told["kept"])
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert_no_force(it)
