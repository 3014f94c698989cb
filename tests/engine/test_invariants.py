"""What holds for every mission, whatever agents and hosts do and whenever the runner is killed."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from kitty_run.engine.session import Report
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Allowance, Limits

from tests.engine.killing import run_and_kill
from tests.engine.world import Did, Job, World

BEHAVIOURS = ("work", "idle", "fail", "timeout", "signal", "specs", "approve", "reject", "both", "silent")


@dataclass(frozen=True)
class Story:
    """A mission and everything that happens to it; `deeds` are what attempt after attempt does.

    `limits` hold for all sessions but the last.
    """

    dependencies: dict[str, list[str]]
    deeds: tuple[str, ...]
    faults: tuple[Fault, ...]
    kills: tuple[int, ...]
    dialect: str
    slots: int
    limits: Limits

    def script(self, job: Job) -> Did:
        deed = self.deeds[(hash_of(job.wp) + job.attempt * 3 + len(job.role)) % len(self.deeds)]
        return _act(job, deed)


def hash_of(wp: str) -> int:
    return sum(map(ord, wp))


def _act(job: Job, deed: str) -> Did:
    if deed in {"fail", "timeout", "signal"}:
        job.work(f"part-{job.attempt}.txt")
        ending = "exit" if deed == "fail" else deed
        return job.fail(ending=ending)  # type: ignore[arg-type]
    if job.role == "review":
        if deed == "silent":
            return job.idle()
        if deed == "both":
            job.tree.files["reviewer.txt"] = "x"
        return job.verdict("changes_requested" if deed == "reject" else "approved")
    if deed == "idle":
        return job.idle()
    if deed == "specs":
        job.tree.files["kitty-specs/demo/x"] = "x"
    return job.work(f"work-{job.attempt}.txt")


@st.composite
def stories(draw: st.DrawFn) -> Story:
    ids = [f"WP{number:02}" for number in range(1, draw(st.integers(1, 5)) + 1)]
    edges = {
        wp: draw(st.lists(st.sampled_from(ids[:index]), unique=True, max_size=2)) if index else []
        for index, wp in enumerate(ids)
    }
    faults = st.builds(
        Fault,
        operation=st.sampled_from(
            ["state", "claim", "hand_in", "claim_review", "approve", "reject", "block", "merge"]
        ),
        code=st.sampled_from(
            ["HOST_TIMEOUT", "HOST_UNREADABLE", "TRANSITION_REJECTED", "WP_ALREADY_CLAIMED", "NEW_CODE"]
        ),
        wp=st.none(),
        after=st.booleans(),
        times=st.integers(1, 2),
    )
    allowances = {
        "attempts": st.none() | st.integers(1, 8),
        "wall_clock": st.none() | st.floats(0.5, 20.0),
    }
    own = st.builds(Allowance, **allowances)
    return Story(
        dependencies=edges,
        deeds=tuple(draw(st.lists(st.sampled_from(BEHAVIOURS), min_size=1, max_size=6))),
        faults=tuple(draw(st.lists(faults, max_size=3))),
        kills=tuple(draw(st.lists(st.integers(1, 60), max_size=2))),
        dialect=draw(st.sampled_from(["mission", "feature"])),
        slots=draw(st.integers(1, 4)),
        limits=draw(st.just(Limits()) | st.builds(Limits, **allowances, work_package=own)),
    )


@settings(max_examples=150, deadline=None)
@given(stories())
def test_every_story_keeps_the_promises(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = told(story, Path(folder))
        approvals = approved_commits(world)
        for wp, lane in world.lanes().items():
            if lane is Lane.DONE:
                assert wp in approvals, f"{wp} is done, and nobody approved it"
                assert approvals[wp] == world.tree(wp).head, f"{wp}: what was approved is not what is there"
                assert world.tree(wp).clean
                assert "reviewer.txt" not in world.tree(wp).commits[-1]
            assert not any(name.startswith("kitty-specs") for name in world.tree(wp).commits[-1])
        if world.events("merge.verified"):
            assert set(world.lanes().values()) == {Lane.DONE}
        assert all("--force" not in call.argv for call in world.host.calls)
        assert claims_in_order(world)


def told(story: Story, root: Path) -> World:
    """The story's world after its kills and a last, undisturbed session."""
    from tests.engine import profiles  # noqa: PLC0415

    world = World(
        root,
        story.dependencies,
        dialect=story.dialect,
        profile=profiles.profile(work_packages=story.slots, implement=("ada", "eve"), review=("bob", "joe")),
        script=story.script,
        faults=story.faults,
    )
    world.change(limits=story.limits)
    for instant in story.kills:
        run_and_kill(world, lambda _, count, at=instant: count == at)  # type: ignore[misc]
    report = ended_well(story, world)
    attempts = Counter(str(event.wp) for event in world.events("attempt.started"))
    assert sum(attempts.values()) <= (story.limits.attempts or 1000)
    assert max(attempts.values(), default=0) <= (story.limits.work_package.attempts or 1000)
    if report.exit_status is ExitStatus.PAUSED:
        assert report.limits
        assert report.left
        world.change(limits=Limits())
        assert not ended_well(story, world).limits
    return world


def ended_well(story: Story, world: World) -> Report:
    """The report of one session that nothing disturbs."""
    report = world.run()
    assert set(report.work_packages) == set(story.dependencies)
    if report.exit_status is ExitStatus.OK:
        assert set(world.lanes().values()) == {Lane.DONE}
        assert report.merged
    else:
        assert report.reason or any(one.reason for one in report.work_packages.values())
    assert all(one.attempts <= 60 for one in report.work_packages.values()), "attempts without end"
    return report


def approved_commits(world: World) -> dict[str, object]:
    """The commit of each work package's last approving verdict."""
    given_ = [event for event in world.events("verdict.given") if event.data["verdict"] == "approved"]
    return {str(event.wp): event.data["commit"] for event in given_}


def claims_in_order(world: World) -> bool:
    """No work package was worked on before all that it depends on was approved."""
    seen: set[str] = set()
    needs: dict[str, Sequence[str]] = {
        wp: held.dependencies for wp, held in world.host.held.work_packages.items()
    }
    for event in world.events():
        if event.type == "verdict.given" and event.data["verdict"] == "approved":
            seen.add(str(event.wp))
        if event.type == "attempt.started" and not set(needs[str(event.wp)]) <= seen:
            return False
    return True
