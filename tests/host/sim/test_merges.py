"""Merges of the simulated host, as 3.2 makes them: what arrives, what is in their way, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from kitty_run.host.model import HostRefused, Review

from tests.git_repos import IDENTITY, GitRepo
from tests.host.conformance.subjects import Subject, simulated
from tests.host.conformance.transcript import POLICY, Transcript
from tests.host.sim.in_process import SimulatedStarter

pytestmark = pytest.mark.heavy

Steps = Callable[[Transcript], Awaitable[object]]


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Four work packages; WP03 depends on WP01."""
    return simulated(SimulatedStarter(IDENTITY), "mission", tmp_path / "repo")


def play(subject: Subject, steps: Steps) -> None:
    async def played() -> None:
        client, wire = await subject.connect()
        await steps(Transcript(subject, client, wire))

    asyncio.run(played())


async def approved(play: Transcript, wp: str, **files: str) -> GitRepo:
    """`wp` to its approval, with `files` beside its own."""
    await play.client.claim(wp, POLICY)
    await play.work(wp)
    workspace = await play.worktree(wp)
    if files:
        workspace.commit("more", **files)
    await play.client.tick(wp, ["T001", "T002"] if wp == "WP01" else [])
    await play.client.hand_in(wp, POLICY)
    await play.client.claim_review(wp, POLICY)
    await play.client.approve(wp, Review("codex", "approved", f"review/{wp}/1"), POLICY)
    return workspace


async def all_approved(play: Transcript, **files: str) -> None:
    """All of the mission, `files` in WP02 and WP04."""
    for wp in ("WP01", "WP02", "WP03", "WP04"):
        mine = {name: f"{wp}: {text}" for name, text in files.items()} if wp in {"WP02", "WP04"} else {}
        await approved(play, wp, **mine)
    play.subject.repo.git("add", "kitty-specs")
    play.subject.repo.git("commit", "-q", "--allow-empty", "-m", "Record the mission's state")


def refused(subject: Subject, *, push: bool = False, **files: str) -> HostRefused:
    """Why a merge of the whole mission did not succeed."""

    async def steps(play: Transcript) -> None:
        await all_approved(play, **files)
        await play.client.merge(subject.branch, "merge", push=push)

    with pytest.raises(HostRefused) as caught:
        play(subject, steps)
    return caught.value


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_a_squashed_mission_is_one_commit_with_all_of_its_files(subject: Subject, strategy: str) -> None:
    async def steps(play: Transcript) -> None:
        await all_approved(play)
        before = subject.repo.head(subject.branch)
        await play.client.merge(subject.branch, strategy, push=False)
        assert subject.repo.head(f"{subject.branch}^") == before

    play(subject, steps)
    assert {f"src/wp0{number}.py" for number in range(1, 5)} <= set(subject.repo.files(subject.branch))


def test_lanes_that_conflict_are_not_merged_and_nothing_of_the_try_is_left(subject: Subject) -> None:
    found = refused(subject, **{"shared.txt": "mine\n"})
    assert "failed" in str(found)
    assert "shared.txt" not in subject.repo.files(subject.branch)
    trees = subject.repo.git("worktree", "list", "--porcelain").count("worktree ")
    assert trees == 1 + len(list(subject.repo.path.glob(".worktrees/*")))


def test_a_push_that_fails_is_refused_though_the_target_has_the_work(subject: Subject) -> None:
    found = refused(subject, push=True)
    assert f"push of {subject.branch} failed" in str(found)
    assert "src/wp01.py" in subject.repo.files(subject.branch)


def test_a_push_reaches_the_remote(subject: Subject, tmp_path: Path) -> None:
    subject.repo.git("init", "-q", "--bare", str(tmp_path / "remote"))
    subject.repo.git("remote", "add", "origin", str(tmp_path / "remote"))

    async def steps(play: Transcript) -> None:
        await all_approved(play)
        await play.client.merge(subject.branch, "merge", push=True)

    play(subject, steps)
    assert GitRepo(tmp_path / "remote").head(subject.branch) == subject.repo.head(subject.branch)


def test_a_lane_whose_branch_was_removed_keeps_all_from_being_merged(subject: Subject) -> None:
    async def steps(play: Transcript) -> None:
        await all_approved(play)
        workspace = await play.worktree("WP02")
        branch = workspace.git("branch", "--show-current")
        subject.repo.git("worktree", "remove", "--force", str(workspace.path))
        subject.repo.git("branch", "-D", branch)
        await play.client.merge(subject.branch, "merge", push=False)

    with pytest.raises(HostRefused, match="does not exist"):
        play(subject, steps)
    assert "src/wp01.py" not in subject.repo.files(subject.branch)


async def lane_of_wp03(play: Transcript) -> tuple[Path, str]:
    """WP01 approved; where the worktree of WP03 will be, and its branch."""
    await approved(play, "WP01")
    found = await play.client.locate("WP03")
    return found.workspace, str(found.branch)


def test_a_dependency_that_conflicts_is_named_and_the_worktree_is_in_no_merge(subject: Subject) -> None:
    async def steps(play: Transcript) -> None:
        path, branch = await lane_of_wp03(play)
        subject.repo.git("worktree", "add", "-q", "-b", branch, str(path), subject.branch)
        GitRepo(path).commit("before", **{"src/wp01.py": "not what WP01 wrote\n"})
        await play.client.claim("WP03", POLICY)

    with pytest.raises(HostRefused, match="merge it manually"):
        play(subject, steps)
    assert not list(subject.repo.path.glob(".git/worktrees/*/MERGE_HEAD"))


def test_a_worktree_that_can_not_be_made_is_refused_with_gits_words(subject: Subject) -> None:
    async def steps(play: Transcript) -> None:
        path, _ = await lane_of_wp03(play)
        path.write_text("a file in its place", encoding="utf-8")
        await play.client.claim("WP03", POLICY)

    with pytest.raises(HostRefused, match="already exists"):
        play(subject, steps)


def test_a_dependency_without_a_branch_is_warned_of(subject: Subject) -> None:
    async def steps(play: Transcript) -> None:
        workspace = await approved(play, "WP01")
        branch = workspace.git("branch", "--show-current")
        subject.repo.git("worktree", "remove", "--force", str(workspace.path))
        subject.repo.git("branch", "-D", branch)
        await play.client.claim("WP03", POLICY)
        assert "branch does not resolve" in play.wire.replies[-1].stdout

    play(subject, steps)
