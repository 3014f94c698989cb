"""The simulated host and the real ones answer alike: one transcript a dialect, whichever host was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from kitty_run.demo.spec import Topology
from kitty_run.host.client import SpecKitty
from kitty_run.host.model import Lane, Review
from pytest_snapshot.plugin import Snapshot

from tests import hosts
from tests.git_repos import IDENTITY
from tests.host.conformance.conftest import Keep
from tests.host.conformance.subjects import Subject, planned, real, simulated
from tests.host.conformance.transcript import POLICY, Transcript, on_branch
from tests.host.sim.in_process import SimulatedStarter

Scenario = Callable[[Transcript], Awaitable[None]]

SNAPSHOTS = Path(__file__).with_name("snapshots")


def approval(wp: str) -> Review:
    return Review("codex", "approved", f"review/{wp}/1")


def rejection(wp: str) -> Review:
    return Review("codex", "changes_requested", f"review/{wp}/1")


HOSTS = {"feature": hosts.FEATURE_HOST, "mission": hosts.MISSION_HOST, "mission-4": hosts.NEXT_HOST}
REAL = (pytest.mark.real_host,)
LATER = (pytest.mark.real_host, pytest.mark.slow)
MakeSubject = Callable[[str, str, Topology | None], Subject]


@pytest.fixture
def make_subject(tmp_path: Path, real_host: Callable[[str], hosts.RealHost], keep: Keep) -> MakeSubject:
    """`make_subject(KIND, DIALECT, TOPOLOGY)`: the mission on a host, `simulated` or `real`."""

    def make(kind: str, dialect: str, topology: Topology | None) -> Subject:
        if kind == "simulated":
            return simulated(SimulatedStarter(IDENTITY), dialect, tmp_path / "repo", topology)
        host = real_host(HOSTS[dialect])
        project = planned(host, tmp_path / "repo", topology)
        return real(keep((str(host.script),), {**host.env, **IDENTITY}), project)

    return make


def played(subject: Subject, scenario: Scenario) -> str:
    async def play() -> str:
        client, wire = await subject.connect()
        try:
            transcript = Transcript(subject, client, wire)
            await scenario(transcript)
            return transcript.text
        finally:
            await client.close()

    return subject.host.runner.run(play())


async def from_claim_to_done(play: Transcript) -> None:
    """One work package's whole way, with a rejection, and what each step needs."""
    host = play.client
    await play.lanes()
    await play.step("locate before", host.locate("WP01"))
    if host.traits.reserves:
        await play.step("reserve", host.reserve("WP01"))
        await play.step("reserve again", host.reserve("WP01"))
        await play.step("reserve before the dependency", host.reserve("WP03"))
    await play.step("claim", host.claim("WP01", POLICY))
    await play.step("claim again", host.claim("WP01", POLICY))
    await play.worktree("WP01")
    await play.step("hand in too early", host.hand_in("WP01", POLICY))
    await play.lanes()
    await play.work("WP01")
    await play.step("tick no such subtask", host.tick("WP01", ["T999"]))
    await play.step("tick", host.tick("WP01", ["T001", "T002"]))
    await play.step("hand in", host.hand_in("WP01", POLICY))
    await play.step("claim in for_review", host.claim("WP01", POLICY))
    await play.step("claim the review", host.claim_review("WP01", POLICY))
    await play.step("claim the review again", host.claim_review("WP01", POLICY))
    await play.step("reject", host.reject("WP01", rejection("WP01"), POLICY))
    await play.step("claim after rejection", host.claim("WP01", POLICY))
    await play.step("note", host.note("WP01", 'rework:\n"one thing"'))
    await play.step("hand in", host.hand_in("WP01", POLICY))
    await play.step("claim the review", host.claim_review("WP01", POLICY))
    await play.step("approve", host.approve("WP01", approval("WP01"), POLICY))
    await play.step("confirm what is done", host.confirm("WP01", approval("WP01"), POLICY))
    await play.lanes()


async def refusals(play: Transcript) -> None:
    """What is refused, with which code; and blocking from each lane on the way."""
    host, strict = play.client, {**POLICY, "dangerous_flags": ["--yolo"]}
    await play.step("no such work package", host.claim("WP09", POLICY))
    await play.step("note on no such work package", host.note("WP09", "x"))
    await play.step("policy with a field missing", host.claim("WP01", {"orchestrator_id": "x"}))
    await play.step("policy like a secret", host.claim("WP01", {**POLICY, "orchestrator_id": "monkey"}))
    await play.step("policy with a banned flag", host.claim("WP02", strict))
    await play.step("claim before the dependency", host.claim("WP03", POLICY))
    await play.step("claim", host.claim("WP01", POLICY))
    await play.step("approve in progress", host.approve("WP01", approval("WP01"), POLICY))
    await play.step("reject in progress", host.reject("WP01", rejection("WP01"), POLICY))
    await play.step("claim the review in progress", host.claim_review("WP01", POLICY))
    await somebody_else(play, "claim what another has", lambda other: other.claim("WP01", POLICY))
    await play.step("block in progress", host.block("WP01", Lane.IN_PROGRESS, "stuck", POLICY))
    await play.step("claim what is blocked", host.claim("WP01", POLICY))
    await play.step("claim", host.claim("WP02", POLICY))
    await play.work("WP02")
    await play.step("hand in", host.hand_in("WP02", POLICY))
    await play.step("claim the review", host.claim_review("WP02", POLICY))
    lane = Lane.IN_REVIEW if host.traits.review_claim else Lane.FOR_REVIEW
    await play.step("block in review", host.block("WP02", lane, "stuck", POLICY))
    await play.step("block planned", host.block("WP04", Lane.PLANNED, "stuck", POLICY))
    await play.step("accept too early", host.accept())
    await play.step("merge as no host can", host.merge(play.subject.branch, "octopus", push=False))
    await play.lanes()


async def finishing(play: Transcript) -> None:
    """A whole mission to its merge; what was committed is on the target."""
    for wp, dependencies in (("WP01", ()), ("WP02", ()), ("WP03", ("WP01",)), ("WP04", ())):
        await play.client.reserve(wp)
        await play.client.claim(wp, POLICY)
        await play.work(wp, *dependencies)
        await play.client.tick(wp, ["T001", "T002"] if wp == "WP01" else [])
        await play.client.hand_in(wp, POLICY)
        await play.client.claim_review(wp, POLICY)
        await play.client.approve(wp, approval(wp), POLICY)
    await play.lanes()
    for criterion in play.client.criteria():
        await play.client.settle(criterion.id, "pass", "a test")
    if not play.client.traits.commits_acceptance:
        commit_status(play)
    await play.step("accept", play.client.accept())
    await play.step("merge into nothing", play.client.merge("no-such-branch", "merge", push=False))
    play.subject.repo.git("checkout", "-q", play.subject.branch)
    commit_status(play)
    await play.step("merge", play.client.merge(play.subject.branch, "merge", push=False))
    for wp in ("WP01", "WP02", "WP03", "WP04"):
        there = on_branch(play.subject.repo.path, play.subject.branch, f"src/{wp.lower()}.py")
        play.lines.append(f"code of {wp} on the target: {there}")
    left = sorted(path.name[-4:] for path in play.subject.repo.path.glob(".worktrees/*"))
    play.lines.append(f"worktrees left: {len(left)}")
    await play.lanes()


async def merges_that_fail(play: Transcript) -> None:
    """What is in a merge's way, and that it goes through once that is gone."""
    for wp in ("WP01", "WP02", "WP04"):
        await play.client.claim(wp, POLICY)
        await play.work(wp)
    target, root = play.subject.branch, play.subject.repo
    commit_status(play)
    await play.step("merge too early", play.client.merge(target, "merge", push=False))
    if play.client.traits.workspaces == "runner":
        await play.client.claim("WP03", POLICY)
        await play.work("WP03", "WP01")
        workspace = await play.worktree("WP02")
        workspace.write("src/wp02.py", "changed\n")
        await play.step("merge with a dirty workspace", play.client.merge(target, "merge", push=False))
        workspace.commit("leftovers", **{"src/wp01.py": "of WP02\n"})
        await play.step("merge with a conflict", play.client.merge(target, "merge", push=False))
        play.lines.append(f"in the middle of a merge: {(root.path / '.git/MERGE_HEAD').exists()}")
        root.git("merge", "--abort")


async def a_dirty_workspace(play: Transcript) -> None:
    """A host that makes worktrees does not resume in one with uncommitted changes."""
    await play.client.claim("WP02", POLICY)
    workspace = await play.worktree("WP02")
    workspace.write("README.md", "changed\n")
    await play.step("claim with changes", play.client.claim("WP02", POLICY))
    workspace.commit("leftovers")
    await play.step("claim after a commit", play.client.claim("WP02", POLICY))


async def the_root_checkout(play: Transcript) -> None:
    """A host that has the work done there lets one work package in, and looks for commits there."""
    host, root = play.client, play.subject.repo
    ignored = root.read(".gitignore")
    await play.step("locate before", host.locate("WP01"))
    await host.reserve("WP01")
    await play.step("claim", host.claim("WP01", POLICY))
    await play.step("claim another", host.claim("WP02", POLICY))
    await host.tick("WP01", ["T001", "T002"])
    await play.step("hand in too early", host.hand_in("WP01", POLICY))
    root.write(".gitignore", f"{ignored}# changed\n")
    await play.step("claim with changes", host.claim("WP01", POLICY))
    root.git("checkout", ".gitignore")
    root.commit("WP01", **{"src/wp01.py": "WP01 = 1\n"})
    await play.step("hand in", host.hand_in("WP01", POLICY))
    root.write(".gitignore", f"{ignored}# changed\n")
    await play.step("claim another with changes", host.claim("WP02", POLICY))
    root.git("checkout", ".gitignore")
    await play.step("claim another", host.claim("WP02", POLICY))
    await play.lanes()


SCENARIOS = (from_claim_to_done, refusals, finishing, merges_that_fail, a_dirty_workspace)
PLACES = [
    *(("simulated", dialect, ()) for dialect in HOSTS),
    ("real", "feature", REAL),
    ("real", "mission", REAL),
    ("real", "mission-4", LATER),
]
TOPOLOGIES = [
    pytest.param(kind, topology, scenario, marks=marks, id=f"{kind}-{topology}")
    for kind, marks in (("simulated", ()), ("real", LATER))
    for topology, scenario in (("coord", finishing), ("single_branch", the_root_checkout))
]


async def somebody_else(play: Transcript, label: str, step: Callable[[SpecKitty], Awaitable[object]]) -> None:
    """The same host, asked by another actor."""
    mine = play.client.connection.actor
    other, wire = await play.subject.connect(actor="somebody-else")
    here = Transcript(play.subject, other, wire)
    try:
        await here.step(label, step(other))
    finally:
        await other.close()
    play.lines += here.lines
    assert other.connection.actor != mine


def commit_status(play: Transcript) -> None:
    """As the runner does before a merge, where the topology wants it."""
    if play.client.topology.commit_status:
        play.subject.repo.git("add", "kitty-specs")
        play.subject.repo.git("commit", "-q", "--allow-empty", "-m", "Record the mission's state")


@pytest.mark.heavy
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize(
    ("kind", "dialect"),
    [pytest.param(kind, dialect, marks=marks, id=f"{kind}-{dialect}") for kind, dialect, marks in PLACES],
)
def test_every_host_of_a_dialect_answers_alike(
    scenario: Scenario, make_subject: MakeSubject, kind: str, dialect: str, snapshot: Snapshot
) -> None:
    subject = make_subject(kind, dialect, None if (kind, dialect) == ("real", "feature") else "lanes")
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(played(subject, scenario), f"{scenario.__name__}.{dialect}.txt")


@pytest.mark.parametrize(("kind", "topology", "scenario"), TOPOLOGIES)
def test_the_topologies_of_the_newest_generation_are_answered_alike(
    kind: str, topology: Topology, scenario: Scenario, make_subject: MakeSubject, snapshot: Snapshot
) -> None:
    subject = make_subject(kind, "mission-4", topology)
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(played(subject, scenario), f"{scenario.__name__}.mission-4.{topology}.txt")
