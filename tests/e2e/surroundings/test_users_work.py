"""A user's own work at the root checkout lives through a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, SIMULATED_TOPOLOGIES, later, slow
from tests.hosts import NEXT_HOST

PAIR = {"WP01": (), "WP02": ("WP01",)}
CHANGED = "changed, and not staged\n"


def begin_own_work(it: Bench) -> None:
    """A stash, a staged and an unstaged change, and an untracked file."""
    (it.root / "README.md").write_text("stashed\n", encoding="utf-8")
    it.git("stash", "-q")
    (it.root / "staged.txt").write_text("staged\n", encoding="utf-8")
    it.git("add", "staged.txt")
    (it.root / "base.txt").write_text(CHANGED, encoding="utf-8")
    (it.root / "notes.txt").write_text("untracked\n", encoding="utf-8")


def assert_own_work(it: Bench) -> None:
    assert it.git("diff", "--cached", "--name-only", "--", ":!kitty-specs").splitlines() == ["staged.txt"]
    assert it.git("diff", "--name-only", "--", ":!kitty-specs").splitlines() == ["base.txt"]
    assert (it.root / "base.txt").read_text(encoding="utf-8") == CHANGED
    assert (it.root / "notes.txt").read_text(encoding="utf-8") == "untracked\n"
    assert it.git("show", "stash@{0}:README.md") == "stashed"


HOSTS = [SIMULATED, *later("coord", "lanes")]


@pytest.mark.parametrize(PLACE, HOSTS)
def test_it_stays_and_is_named_before_anything_is_paid(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    begin_own_work(it)
    ran = it.run()
    assert ran.status == 2, ran.text
    assert it.ledger() == []
    assert_own_work(it)
    assert "staged.txt" in ran.text
    assert "stash push" in ran.text
    it.git("commit", "-q", "-m", "my own work", "--", "base.txt", "staged.txt")
    again = it.run()
    assert again.status == 0, again.text
    assert it.git("show", "HEAD:base.txt") + "\n" == CHANGED
    assert it.git("show", "HEAD:staged.txt") == "staged"
    assert (it.root / "notes.txt").read_text(encoding="utf-8") == "untracked\n"


@pytest.mark.parametrize(PLACE, HOSTS)
def test_one_that_was_begun_during_the_run_pauses_the_merge(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    it.profile["gates"] = {"before": ["merge"]}
    it.profile["retry"]["host"] = {"ROOT_DIRTY": {"attempts": 1}}
    assert it.run().status == 4
    begin_own_work(it)
    paid = len(it.ledger())
    ran = it.run("--yes")
    assert ran.status == 4, ran.text
    assert_own_work(it)
    assert "staged.txt" in ran.text
    it.git("commit", "-q", "-m", "my own work", "--", "base.txt", "staged.txt")
    again = it.run("--yes")
    assert again.status == 0, again.text
    assert len(it.ledger()) == paid
    assert it.git("show", "HEAD:base.txt") + "\n" == CHANGED


@pytest.mark.parametrize(PLACE, [SIMULATED, *later("lanes")])
def test_a_branch_of_theirs_is_neither_switched_nor_committed_to(
    bench: MakeBench, version: str, topology: Topology
) -> None:
    it = bench(version, mission({"WP01": ()}, topology))
    it.git("switch", "-q", "-c", "theirs")
    before = it.git("for-each-ref", "refs/heads")
    ran = it.run()
    assert ran.status == 2, ran.text
    assert f"switch {it.project.branch}" in ran.text
    assert it.ledger() == []
    assert it.git("branch", "--show-current") == "theirs"
    assert it.git("for-each-ref", "refs/heads") == before
    it.git("switch", "-q", it.project.branch)
    theirs = it.git("rev-parse", "theirs")
    it.plan(implement={"WP01": ["slow"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    it.git("switch", "-q", "theirs")
    (it.room / "go").touch()
    it.wait_for(lambda: [one for one in it.events("retry.decided") if one["key"] == "ROOT_BRANCH"], process)
    it.git("switch", "-q", it.project.branch)
    ended = it.end(process)
    assert ended.status == 0, ended.text
    assert it.git("rev-parse", "theirs") == theirs
    assert "block" not in [one["operation"] for one in it.events("call.ended")]


@pytest.mark.parametrize(PLACE, [SIMULATED, *later("lanes")])
def test_a_lock_of_their_git_is_waited_for_by_name(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": ()}, topology))
    it.plan(implement={"WP01": ["slow"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    lock = it.root / ".git" / "index.lock"
    lock.touch()
    (it.room / "go").touch()
    it.wait_for(lambda: [one for one in it.events("retry.decided") if one["key"] == "ROOT_LOCKED"], process)
    lock.unlink()
    ended = it.end(process)
    assert ended.status == 0, ended.text
    (first, *_) = [one for one in it.events("retry.decided") if one["key"] == "ROOT_LOCKED"]
    assert f"{lock} is there since" in first["reason"]
    assert "ps -ef" in first["reason"]
    assert f"{lock} is there since" in " ".join(ended.text.split())


@pytest.mark.parametrize(PLACE, [SIMULATED, *later("lanes", "coord")])
def test_without_a_name_of_theirs_commits_are_the_runners(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": ()}, topology))
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    it.host = replace(it.host, env={**it.host.env, **nobody})
    ran = it.run()
    assert ran.status == 0, ran.text
    assert "git knows nobody to commit as here" in ran.text
    assert "user.email" in " ".join(str(one) for one in it.events("notice"))
    assert "kitty-run" in it.git("log", "-1", "--format=%an %cn", it.project.branch)


@pytest.mark.parametrize(PLACE, [SIMULATED_TOPOLOGIES["single_branch"], slow(NEXT_HOST, "single_branch")])
def test_what_they_edit_on_the_branch_that_work_is_brought_onto_is_in_none_of_its_commits(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    it.plan(implement={"WP01": ["slow"], "WP02": ["hotfix"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    begin_own_work(it)
    (it.room / "go").touch()
    ended = it.end(process)
    assert ended.status == 4, ended.text
    assert "base.txt" in ended.text
    assert_own_work(it)
    assert it.git("show", f"{it.project.branch}:WP01.txt").startswith("WP01")
    assert it.git("log", "--oneline", it.project.branch, "--", "staged.txt", "notes.txt") == ""
    it.git("add", "--", "notes.txt")
    it.git("commit", "-q", "-m", "my own work", "--", "base.txt", "staged.txt", "notes.txt")
    again = it.run()
    assert again.status == 0, again.text
    shown = {
        name: it.git("show", f"{it.project.branch}:{name}")
        for name in ("staged.txt", "hotfix.txt", "base.txt", "notes.txt")
    }
    assert shown == {
        "staged.txt": "staged",
        "hotfix.txt": "meanwhile, on the target",
        "base.txt": "fixed on the target",
        "notes.txt": "untracked",
    }
    assert it.lanes() == dict.fromkeys(PAIR, "done")
    assert "block" not in [one["operation"] for one in it.events("call.ended")]
