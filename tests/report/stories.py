"""Missions in which everything that a journal can have in it happens at least once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event, MissionAccepted, VerdictGiven
from kitty_run.git.protocols import Conflict, Kept, Repair
from kitty_run.host.model import Lane
from kitty_run.host.sim.memory import Fault
from kitty_run.profile.model import Check, Output
from kitty_run.profile.workspace import SetupStep, WorkspaceConfig

from tests.engine import profiles
from tests.engine.criteria import wanting
from tests.engine.world import Did, Job, World, good
from tests.report.played import FINDINGS, PAIR, Played, Story
from tests.report.stories_of_stops import (
    gates,
    interrupted,
    limit,
    limited,
    moved_back,
    own_limit,
    troubled_host,
    unreviewed,
)


def smooth(root: Path) -> Played:
    """Everything works at once, on a mission whose status files must be committed before the merge, and that
    its host can't accept before that."""
    world = Played(root, PAIR, shape="coord", faults=[Fault("accept", "HOST_UNREADABLE")])
    world.run()
    return world


def self_approved(root: Path) -> Played:
    """The implementer of WP01 moves it to `done` on the host by itself; it is reviewed all the same."""

    def script(job: Job) -> Did:
        if (job.wp, job.role) == ("WP01", "implement"):
            world.host.move("WP01", Lane.DONE, actor="an agent")
        return good(job)

    world = Played(root, PAIR, script=script)
    world.run()
    return world


def rework(root: Path) -> Played:
    """WP01 is sent back once; its reviewer leaves changes behind."""

    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work(f"file-{job.attempt}.txt", seconds=90.0)
        job.tree.files["scratch.txt"] = "reviewer's"
        return job.verdict("changes_requested", FINDINGS) if job.attempt == 1 else job.verdict()

    world = Played(root, {"WP01": []}, script=script)
    world.run()
    return world


def never_good_enough(root: Path) -> Played:
    """WP01 ends blocked with its rounds used up, and WP02 waits on it."""

    def script(job: Job) -> Did:
        if job.role == "implement":
            return job.work(f"file-{job.attempt}.txt")
        return job.verdict("changes_requested", FINDINGS)

    world = Played(root, PAIR, script=script)
    world.run()
    return world


def failing_agents(root: Path) -> Played:
    """A time limit, an agent that is not installed, a fallback, nothing changed, and a block."""

    def script(job: Job) -> Did:
        if job.agent == "ada":
            return job.fail(ending="timeout" if job.attempt == 1 else "not_installed")
        return job.idle()

    world = Played(root, {"WP01": []}, script=script, profile=profiles.profile(implement=("ada", "eve")))
    world.run()
    return world


def checks(root: Path) -> Played:
    """A check that fails, and passes at the second attempt."""
    profile = profiles.profile()
    implement = replace(profile.roles["implement"], checks=(Check("tests", ("make", "test")),))
    profile = replace(profile, roles={**profile.roles, "implement": implement})

    def script(job: Job) -> Did:
        if job.launch.argv[0] == "make":
            return job.fail(2) if "file-1.txt" in job.tree.files and len(job.tree.files) == 1 else Did()
        return job.work(f"file-{job.attempt}.txt") if job.role == "implement" else job.verdict()

    world = Played(root, {"WP01": []}, profile=profile, script=script)
    world.run()
    return world


def set_up(root: Path) -> Played:
    """A workspace is set up before each agent, and ended when it is done."""
    steps = (SetupStep("install", ("npm", "ci")), SetupStep("build", ("make", "build")))
    config = WorkspaceConfig(setup=steps, teardown=(SetupStep("stop", ("make", "down")),))

    def script(job: Job) -> Did:
        command = job.launch.argv[0]
        return Did(seconds=20.0) if command in {"npm", "make"} else good(job)

    world = Played(root, {"WP01": []}, profile=replace(profiles.profile(), workspace=config), script=script)
    world.run()
    return world


def leftovers(root: Path) -> Played:
    """Blocked with changes below kitty-specs/ and others lying uncommitted in the workspace."""

    def script(job: Job) -> Did:
        job.tree.files["half.txt"] = "half"
        return job.fail()

    world = Played(root, {"WP01": []}, script=script)
    world.run()
    return world


def own_reviewer(root: Path) -> Played:
    """Nobody but the implementer can review; and a conversation that is taken up again is dead."""
    profile = profiles.profile(review=("ada",))
    review = replace(profile.roles["review"], independent=True)
    talking = replace(
        profile.agents["ada"],
        output=Output("jsonl", session="/session"),
        resume=("--resume", "{{ session }}"),
    )
    profile = replace(profile, roles={**profile.roles, "review": review}, agents={"ada": talking})

    def script(job: Job) -> Did:
        if job.role == "review":
            return job.verdict("changes_requested" if job.cycle == 1 else "approved")
        if "--resume" in job.launch.argv:
            return job.fail()
        return replace(job.work(f"file-{job.attempt}.txt"), output='{"session": "s-1"}\n')

    world = Played(root, {"WP01": []}, profile=profile, script=script)
    world.run()
    return world


def moved(root: Path) -> Played:
    """WP01 was done before the run; WP02's branch moves after its first review, and before the merge."""

    def sneak(world: World, event: Event, _: Session) -> None:
        tree = world.tree("WP02")
        reviewed = isinstance(event, VerdictGiven) and event.wp == "WP02"
        after_review = reviewed and len(tree.commits) == 2
        if after_review or isinstance(event, MissionAccepted):
            tree.commits.append({"late.txt": f"after {event.TYPE}"})
            tree.files = dict(tree.commits[-1])

    world = Played(root, PAIR)
    world.host.move("WP01", Lane.DONE)
    world.tree("WP01").commits.append({"WP01.txt": "by hand"})
    world.kept["WP01"] = world.tree("WP01").head
    world.on_event = sneak
    world.run()
    return world


def bug(root: Path) -> Played:
    """An error that nobody expected."""

    def script(job: Job) -> Did:
        raise RuntimeError(f"no script for {job.wp}")

    world = Played(root, {"WP01": []}, script=script)
    world.run()
    return world


def one_workspace(root: Path) -> Played:
    """Two work packages of one workspace: the second waits until the first is approved."""
    rooms = {"WP01": "lane-a", "WP02": "lane-a"}
    world = Played(root, {"WP01": [], "WP02": []}, rooms=rooms)
    world.run()
    return world


def half_made(root: Path) -> Played:
    """Git was cut off while it made the worktree of WP01, and somebody's file lay in it."""
    world = Played(root, {"WP01": []})
    why = "git was cut off while it made this worktree"
    ref = "refs/kitty-run/aside/m-WP01/0123456789ab"
    world.tree("WP01").repair = Repair(why, ("src/app.py",), Kept(ref, "0123456789ab", ("notes.txt",), why))
    world.run()
    return world


def conflicting(root: Path) -> Played:
    """WP01 and the target changed the same lines: nothing is merged."""

    def conflict(world: World, event: Event, _: Session) -> None:
        if isinstance(event, MissionAccepted):
            world.repository.conflicting = Conflict(world.tree("WP01").head, "main", ("src/app.py",))

    world = Played(root, {"WP01": []})
    world.on_event = conflict
    world.run()
    return world


def criteria(root: Path) -> Played:
    """The reviewer says that the mission's acceptance criterion is met, and the host gets it."""
    world = Played(root, {"WP01": []}, script=_meeting_criteria)
    wanting(world, {"WP01": ["FR-001"]})
    world.run()
    return world


def _meeting_criteria(job: Job) -> Did:
    if job.role == "implement":
        return good(job)
    return job.verdict(
        criteria=[{"id": "FR-001", "result": "pass", "evidence": "tests/test_sum.py shows it"}]
    )


STORIES: Mapping[str, Story] = {
    story.__name__: story
    for story in (
        smooth,
        self_approved,
        rework,
        never_good_enough,
        failing_agents,
        troubled_host,
        checks,
        set_up,
        gates,
        interrupted,
        moved_back,
        unreviewed,
        leftovers,
        limit,
        own_limit,
        limited,
        own_reviewer,
        moved,
        bug,
        one_workspace,
        half_made,
        conflicting,
        criteria,
    )
}
