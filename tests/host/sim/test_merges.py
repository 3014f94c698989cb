"""Merges of the simulated host, as 3.2 makes them: what arrives, what is in their way, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from kitty_run.host.model import HostRefused, Review

from tests.git_repos import IDENTITY, GitRepo
from tests.host.conformance.stands import Stand, simulated
from tests.host.conformance.transcript import POLICY, Transcript
from tests.host.sim.in_process import SimulatedStarter

Steps = Callable[[Transcript], Awaitable[object]]


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """Four work packages; WP03 depends on WP01."""
    return simulated(SimulatedStarter(IDENTITY), "mission", tmp_path / "repo")


def play(stand: Stand, steps: Steps) -> None:
    async def played() -> None:
        client, wire = await stand.connect()
        await steps(Transcript(stand, client, wire))

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
    play.stand.repo.git("add", "kitty-specs")
    play.stand.repo.git("commit", "-q", "--allow-empty", "-m", "Record the mission's state")


def refused(stand: Stand, *, push: bool = False, **files: str) -> HostRefused:
    """Why a merge of the whole mission did not succeed."""

    async def steps(play: Transcript) -> None:
        await all_approved(play, **files)
        await play.client.merge(stand.branch, "merge", push=push)

    with pytest.raises(HostRefused) as caught:
        play(stand, steps)
    return caught.value


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_a_squashed_mission_is_one_commit_with_all_of_its_files(stand: Stand, strategy: str) -> None:
    async def steps(play: Transcript) -> None:
        await all_approved(play)
        before = stand.repo.head(stand.branch)
        await play.client.merge(stand.branch, strategy, push=False)
        assert stand.repo.head(f"{stand.branch}^") == before

    play(stand, steps)
    assert {f"src/wp0{number}.py" for number in range(1, 5)} <= set(stand.repo.files(stand.branch))


def test_lanes_that_conflict_are_not_merged_and_nothing_of_the_try_is_left(stand: Stand) -> None:
    found = refused(stand, **{"shared.txt": "mine\n"})
    assert "failed" in str(found)
    assert "shared.txt" not in stand.repo.files(stand.branch)
    trees = stand.repo.git("worktree", "list", "--porcelain").count("worktree ")
    assert trees == 1 + len(list(stand.repo.path.glob(".worktrees/*")))


def test_a_push_that_fails_is_refused_though_the_target_has_the_work(stand: Stand) -> None:
    found = refused(stand, push=True)
    assert f"push of {stand.branch} failed" in str(found)
    assert "src/wp01.py" in stand.repo.files(stand.branch)


def test_a_push_reaches_the_remote(stand: Stand, tmp_path: Path) -> None:
    stand.repo.git("init", "-q", "--bare", str(tmp_path / "remote"))
    stand.repo.git("remote", "add", "origin", str(tmp_path / "remote"))

    async def steps(play: Transcript) -> None:
        await all_approved(play)
        await play.client.merge(stand.branch, "merge", push=True)

    play(stand, steps)
    assert GitRepo(tmp_path / "remote").head(stand.branch) == stand.repo.head(stand.branch)


def test_a_lane_whose_branch_was_removed_keeps_all_from_being_merged(stand: Stand) -> None:
    async def steps(play: Transcript) -> None:
        await all_approved(play)
        workspace = await play.worktree("WP02")
        branch = workspace.git("branch", "--show-current")
        stand.repo.git("worktree", "remove", "--force", str(workspace.path))
        stand.repo.git("branch", "-D", branch)
        await play.client.merge(stand.branch, "merge", push=False)

    with pytest.raises(HostRefused, match="does not exist"):
        play(stand, steps)
    assert "src/wp01.py" not in stand.repo.files(stand.branch)


async def lane_of_wp03(play: Transcript) -> tuple[Path, str]:
    """WP01 approved; where the worktree of WP03 will be, and its branch."""
    await approved(play, "WP01")
    found = await play.client.locate("WP03")
    return found.workspace, str(found.branch)


def test_a_dependency_that_conflicts_is_named_and_the_worktree_is_in_no_merge(stand: Stand) -> None:
    async def steps(play: Transcript) -> None:
        path, branch = await lane_of_wp03(play)
        stand.repo.git("worktree", "add", "-q", "-b", branch, str(path), stand.branch)
        GitRepo(path).commit("before", **{"src/wp01.py": "not what WP01 wrote\n"})
        await play.client.claim("WP03", POLICY)

    with pytest.raises(HostRefused, match="merge it manually"):
        play(stand, steps)
    assert not list(stand.repo.path.glob(".git/worktrees/*/MERGE_HEAD"))


def test_a_worktree_that_can_not_be_made_is_refused_with_gits_words(stand: Stand) -> None:
    async def steps(play: Transcript) -> None:
        path, _ = await lane_of_wp03(play)
        path.write_text("a file in its place", encoding="utf-8")
        await play.client.claim("WP03", POLICY)

    with pytest.raises(HostRefused, match="already exists"):
        play(stand, steps)


def test_a_dependency_without_a_branch_is_warned_of(stand: Stand) -> None:
    async def steps(play: Transcript) -> None:
        workspace = await approved(play, "WP01")
        branch = workspace.git("branch", "--show-current")
        stand.repo.git("worktree", "remove", "--force", str(workspace.path))
        stand.repo.git("branch", "-D", branch)
        await play.client.claim("WP03", POLICY)
        assert "branch does not resolve" in play.wire.replies[-1].stdout

    play(stand, steps)
