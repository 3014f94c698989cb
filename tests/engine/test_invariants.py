"""What holds for every mission, whatever agents and hosts do and whenever the runner is killed."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kitty_run.engine.state.events import (
    AttemptStarted,
    FamilyLimited,
    MergeVerified,
    RetryDecided,
    VerdictGiven,
    WorkCommitted,
    WorkLeft,
)
from kitty_run.engine.state.session_report import Report
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.limits import Allowance, Limits
from kitty_run.profile.model import Action, Backoff, Concurrency, Profile, RetryRow
from kitty_run.simulation.kill import run_and_kill

from tests.engine import profiles
from tests.engine.world import Did, Job, World
from tests.examples import examples

BEHAVIOURS = ("work", "idle", "fail", "timeout", "signal", "specs", "approve", "reject", "both", "silent")
BEHAVIOURS += ("limited", "limited", "overloaded")
LIMITS = st.one_of(
    st.builds(RetryRow, st.just(Action.FALLBACK), backoff=st.builds(Backoff, st.sampled_from([0.0, 20.0]))),
    st.builds(
        RetryRow,
        st.just(Action.WAIT),
        st.integers(0, 3),
        st.builds(Backoff, st.sampled_from([0.0, 3.0, 40.0]), jitter=st.sampled_from([0.0, 0.5])),
        st.sampled_from([Action.FALLBACK, Action.BLOCK]),
    ),
)


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
    limit: RetryRow
    resets: float | None
    away: float
    """Seconds from a kill to the next session."""
    independent: bool
    at_once: int
    """Attempts of ada, and reviews, at once."""

    def script(self, job: Job) -> Did:
        deed = self.deeds[(hash_of(job.wp) + job.attempt * 3 + len(job.role)) % len(self.deeds)]
        if deed == "limited":
            return job.limited(self._until(job))
        return job.overloaded() if deed == "overloaded" else _act(job, deed)

    def _until(self, job: Job) -> str:
        return "" if self.resets is None else (job.now + timedelta(seconds=self.resets)).isoformat()

    def profile(self) -> Profile:
        """Quick tables, with the story's row for limits, and agents of which two are of one family."""
        made = profiles.profile(
            work_packages=self.slots, implement=("ada", "eve", "bob"), review=("bob", "joe", "ada")
        )
        agents = {**made.agents, "joe": replace(made.agents["joe"], family="eve")}
        tables = {**made.retry.agent, "rate_limited": self.limit, "overloaded": self.limit}
        roles = {**made.roles, "review": replace(made.roles["review"], independent=self.independent)}
        made = replace(made, agents=agents, roles=roles, retry=replace(made.retry, agent=tables))
        narrow = Concurrency(self.slots, roles={"review": self.at_once}, agents={"ada": self.at_once})
        return replace(made, concurrency=narrow)


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
        limit=draw(LIMITS),
        resets=draw(st.none() | st.sampled_from([-60.0, 2.0, 90.0, 5000.0])),
        away=draw(st.sampled_from([0.0, 30.0, 4000.0])),
        independent=draw(st.booleans()),
        at_once=draw(st.integers(1, 4)),
    )


@st.composite
def stories_of_limits(draw: st.DrawFn) -> Story:
    """Stories without other trouble: work packages side by side, agents that are limited, kills."""
    story = draw(stories())
    deeds = st.sampled_from(("limited", "overloaded", "work", "work", "fail"))
    independent = {wp: needs[:1] if wp == "WP05" else [] for wp, needs in story.dependencies.items()}
    return replace(
        story,
        dependencies=independent,
        deeds=tuple(draw(st.lists(deeds, min_size=2, max_size=7))),
        faults=(),
        at_once=draw(st.integers(1, 2)),
        slots=draw(st.integers(2, 4)),
    )


@pytest.mark.whole
@pytest.mark.no_cover
@settings(max_examples=examples(60), deadline=None)
@given(stories_of_limits())
def test_no_attempt_starts_while_the_journal_says_that_its_family_is_limited(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = told(story, Path(folder))
        assert starts_of_limited_families(world) == []
        assert reviews_by_authors(world, story.profile()) == []
        assert blocked_by_others(world) == []


@pytest.mark.whole
@pytest.mark.no_cover
@settings(max_examples=examples(150), deadline=None)
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
        if world.events(MergeVerified):
            assert set(world.lanes().values()) == {Lane.DONE}
        assert all("--force" not in call.argv for call in world.host.calls)
        assert claims_in_order(world)
        assert starts_of_limited_families(world) == []
        assert reviews_by_authors(world, story.profile()) == []


def told(story: Story, root: Path) -> World:
    """The story's world after its kills and a last, undisturbed session."""
    world = World(
        root,
        story.dependencies,
        dialect=story.dialect,
        profile=story.profile(),
        script=story.script,
        faults=story.faults,
    )
    world.change(limits=story.limits)
    for instant in story.kills:
        if run_and_kill(world, lambda _, count, at=instant: count == at):  # type: ignore[misc]
            world.later(story.away)
    report = ended_well(story, world)
    attempts = Counter(str(event.wp) for event in world.events(AttemptStarted))
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
    given_ = [event for event in world.events(VerdictGiven) if event.verdict == "approved"]
    return {str(event.wp): event.commit for event in given_}


def claims_in_order(world: World) -> bool:
    """No work package was worked on before all that it depends on was approved."""
    seen: set[str] = set()
    needs: dict[str, Sequence[str]] = {
        wp: held.dependencies for wp, held in world.host.held.work_packages.items()
    }
    for entry in world.entries():
        match entry.event:
            case VerdictGiven(verdict="approved", wp=wp):
                seen.add(wp)
            case AttemptStarted(wp=wp) if not set(needs[wp]) <= seen:
                return False
    return True


def starts_of_limited_families(world: World) -> list[AttemptStarted]:
    """Attempts that started while the journal said that their family is limited."""
    until: dict[str, datetime] = {}
    found = []
    for entry in world.entries():
        match entry.event:
            case FamilyLimited(family=family, until=limit):
                until[family] = max(limit, until.get(family, limit))
            case AttemptStarted() as event if entry.at < until.get(event.family, entry.at):
                found.append(event)
    return found


def reviews_by_authors(world: World, profile: Profile) -> list[str]:
    """Approvals that are neither by another family than all who left something, nor said not to be so."""
    families: dict[str, set[str]] = {}
    found = []
    for entry in world.entries():
        match entry.event:
            case WorkLeft(files=()):
                pass
            case WorkLeft(wp=wp, agent=agent) | WorkCommitted(wp=wp, agent=agent):
                families.setdefault(wp, set()).add(profile.agents[agent].family)
            case VerdictGiven(wp=wp, agent=agent, independent=True):
                found += [wp] if profile.agents[agent].family in families.get(wp, set()) else []
    return found


def blocked_by_others(world: World) -> list[str]:
    """Work packages that ended blocked though no attempt of their own failed last."""
    last = {str(event.wp): event.action for event in world.events(RetryDecided)}
    blocked = [wp for wp, lane in world.lanes().items() if lane is Lane.BLOCKED]
    return [wp for wp in blocked if last.get(wp) != "block"]
