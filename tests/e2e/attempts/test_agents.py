"""Agents that crash, hang, lie and meddle: each work package ends right, and no work is lost."""

from __future__ import annotations

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_no_force, assert_tidy
from tests.e2e.bench import Bench, mission, wide
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, later

HOSTS = [SIMULATED, *later("coord")]
"""Twelve work packages on a 3.2 host take half a minute on an idle machine."""
WIDE = 12


def failures(it: Bench, wp: str, role: str = "implement") -> list[str | None]:
    """The classes of a work package's attempts, as the journal has them."""
    return [
        event["failure"] for event in it.events("attempt.ended") if (event["wp"], event["role"]) == (wp, role)
    ]


def refusals(it: Bench, wp: str) -> list[str]:
    return [event["key"] for event in it.events("retry.decided") if event["wp"] == wp]


@pytest.mark.parametrize(PLACE, HOSTS)
def test_a_second_attempt_makes_up_for_a_bad_first_one(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(WIDE), topology))
    first = {
        "WP01": "crash",
        "WP02": "fails",
        "WP03": "hang",
        "WP04": "silent",
        "WP05": "stubborn",
        "WP06": "nothing",
        "WP07": "specs",
        "WP08": "specs_and_work",
        "WP09": "specs_committed",
        "WP10": "specs_only_committed",
    }
    it.plan(
        {wp: [behaviour, "ok"] for wp, behaviour in first.items()},
        {"WP11": ["no_verdict", "approve"], "WP12": ["invalid", "approve"]},
    )
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert {wp: refusals(it, wp) for wp in wide(WIDE)} == {
        "WP01": ["crashed"],
        "WP02": ["failed"],
        "WP03": ["timeout"],
        "WP04": ["idle"],
        "WP05": ["idle"],
        "WP06": ["no_changes"],
        "WP07": ["forbidden_change"],
        "WP08": ["forbidden_change"],
        "WP09": ["forbidden_change"],
        "WP10": ["forbidden_change"],
        "WP11": ["no_verdict"],
        "WP12": ["no_verdict"],
    }
    assert "rewritten by the agent" not in it.git("grep", "-h", "-r", "rewritten", "HEAD", check=False)
    assert_no_force(it)
    assert_tidy(it)


@pytest.mark.parametrize(PLACE, HOSTS)
def test_odd_ways_to_work_are_worked_with(bench: MakeBench, version: str, topology: Topology | None) -> None:
    it = bench(version, mission(wide(WIDE), topology))
    it.plan(
        {
            "WP01": ["grandchild"],
            "WP02": ["nameless"],
            "WP03": ["commits_half"],
            "WP04": ["branches", "ok"],
            "WP05": ["detaches"],
            "WP06": ["loud"],
            "WP07": ["garbled"],
            "WP08": ["huge"],
            "WP09": ["index_lock"],
            "WP10": ["waits_for_stdin_end"],
            "WP11": ["pushes"],
            "WP12": ["outside"],
        },
        {
            "WP01": ["modify"],
            "WP02": ["commit"],
            "WP03": ["delete"],
            "WP04": ["early", "reject", "approve"],
            "WP05": ["in_message"],
            "WP06": ["approve_and_fail", "approve"],
            "WP07": ["half", "approve"],
        },
    )
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    assert {event["wp"] for event in it.events("review.discarded")} == {"WP01", "WP02", "WP03"}
    assert (it.root / "outside.txt").read_text(encoding="utf-8") == "at the root\n"
    (it.root / "outside.txt").unlink()
    log = it.events("attempt.ended")
    (loud,) = [event["log"] for event in log if (event["wp"], event["role"]) == ("WP06", "implement")]
    assert 64_000_000 <= (it.root / loud).stat().st_size < 65_000_000, "of 90 MiB, `limits.log_mb` are kept"
    (it.root / loud).unlink()
    assert_no_force(it)


@pytest.mark.parametrize(PLACE, HOSTS)
def test_what_cannot_be_brought_to_an_end_is_blocked_and_kept(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(WIDE), topology))
    it.plan(
        {
            "WP01": ["unlinks_git"],
            "WP02": ["merging"],
            "WP03": ["embedded"],
            "WP04": ["nothing"],
            "WP05": ["specs"],
            "WP06": ["removes_all"],
            "WP12": ["amends"],
        },
        {
            "WP07": ["no_verdict"],
            "WP08": ["invalid"],
            "WP09": ["approve_and_fail"],
            "WP10": ["reject"],
            "WP11": ["other"],
        },
    )
    ran = it.run()
    assert ran.status == 1, ran.text
    assert not ran.report["merged"]
    assert it.lanes() == dict.fromkeys(wide(WIDE), "blocked") | {"WP12": "done"}
    for wp, words in {
        "WP01": "workspace_lost: its .git was removed. It is made anew",
        "WP02": "conflicts were left unresolved in WP02.txt",
        "WP03": "vendor/lib/ is a git repository of its own",
        "WP04": "no_changes: the attempt ended well, but it changed no file",
        "WP05": "files under kitty-specs/ belong to spec-kitty",
        "WP06": "workspace_lost: the directory ",
        "WP07": "no_verdict: there is no verdict file",
        "WP08": "no_verdict: the verdict file does not fit the verdict's schema",
        "WP09": "failed: exit status 1",
        "WP10": 'again, "WP10"',
        "WP11": "no_verdict: there is no verdict file",
    }.items():
        assert words in ran.reason(wp), ran.text
        assert ran.report["work_packages"][wp]["next"]
    everything = it.git("log", "--all", "--format=%s", "--", "WP*.txt").splitlines()
    for wp in ("WP07", "WP08", "WP09", "WP11"):
        assert everything.count(f"feat({wp}): implement by imp") == 1
    assert everything.count("feat(WP10): implement by imp") == 4
    (broken,) = [path.parent for path in it.root.glob(".worktrees/*/WP01.txt")]
    assert (broken / "WP01.txt").read_text(encoding="utf-8") == "WP01 in cycle 1\n"
    assert_no_force(it)
    again = it.run()
    assert (again.status, again.report["attempts"]) == (1, ran.report["attempts"]), again.text
