"""Answers to gates on real hosts: they are in the host's own history, with who gave them and why."""

from __future__ import annotations

import getpass

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, later
from tests.program import kitty_run

SHAPES = [SIMULATED, *later("coord", "lanes", "legacy")]


def answer(it: Bench, word: str, gate: str, note: str) -> None:
    done = kitty_run(word, gate, "--note", note, "--repo", str(it.root), cwd=it.room, env=it.host.env)
    assert done.status == 0, done.err


def history(it: Bench) -> str:
    """What the host has committed of WP01's history on the branch that was merged into."""
    name = "tasks/WP01*.md" if it.project_is_feature else "status.events.jsonl"
    (path,) = it.git("ls-files", f":(glob)kitty-specs/*/{name}").splitlines()
    return it.git("show", f"{it.project.branch}:{path}")


@pytest.mark.parametrize(PLACE, SHAPES)
def test_an_answer_is_in_the_hosts_history_once_and_is_still_there_after_the_merge(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": ()}, topology))
    it.profile["gates"] = {"before": ["done", "merge"]}
    assert it.run().status == 4
    answer(it, "reject", "done-WP01", 'not yet:\n"no" tests')
    assert it.run().status == 4
    answer(it, "approve", "done-WP01", "read all of it")
    assert it.run().status == 4
    answer(it, "approve", "merge", "ship it")
    ran = it.run()
    assert ran.status == 0, ran.text
    who = getpass.getuser()
    told = history(it)
    for line in (
        f"kitty-run: gate done-WP01: rejected by {who}: not yet: 'no' tests",
        f"kitty-run: gate done-WP01: approved by {who}: read all of it",
        f"kitty-run: gate merge: approved by {who}: ship it",
    ):
        assert told.count(line) == 1, told
    answers = [(event["gate"], event["by"], event["note"]) for event in it.events("gate.answered")]
    assert answers == [
        ("done-WP01", who, 'not yet:\n"no" tests'),
        ("done-WP01", who, "read all of it"),
        ("merge", who, "ship it"),
    ]
    assert it.tree() == it.written()
    assert_no_force(it)
    assert_tidy(it)
