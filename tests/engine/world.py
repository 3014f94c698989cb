"""A simulated world for the engine: a host in memory, workspaces in memory, and scripted agents.

world = World(tmp_path, {"WP01": [], "WP02": ["WP01"]})
world.agent(lambda job: job.fail(FailureClass.TIMEOUT) if job.attempt == 1 else job.work())
report = world.run()
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from kitty_run.agents.model import Ending, Exit, Launch, OnStarted, Started
from kitty_run.engine.context import Board, Services
from kitty_run.engine.decisions.circuit_breaker import Breakers
from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.engine.scheduling.critical_path import sizes
from kitty_run.engine.session import Report, Session
from kitty_run.engine.shutdown import Control
from kitty_run.engine.state.events import CallEnded, RunStarted
from kitty_run.engine.state.gate_answers import Asker
from kitty_run.engine.state.journal import Event, Journal, read
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_header import header
from kitty_run.engine.state.run_state import Memory
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import Site
from kitty_run.git.protocols import AbortedMerge, Diff, Left, Loss, Repair, Snapshot, Standing, Unmerged
from kitty_run.git.provenance import Foreign
from kitty_run.host.model import Lane, MissionState
from kitty_run.host.sim.memory import Fault, SimCall, SimHost
from kitty_run.profile.model import Profile

from tests.engine import profiles, virtual_time

START = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class Tree:
    """One workspace's content: commits as a chain of file maps, and the files as they lie there."""

    files: dict[str, str] = field(default_factory=dict)
    commits: list[dict[str, str]] = field(default_factory=lambda: [{}])
    repair: Repair | None = None
    """What the next look at whether it is whole does to it."""
    untouched: list[bool] = field(default_factory=list)
    """What each such look was told."""

    @property
    def head(self) -> str:
        return _digest(self.commits)

    @property
    def heads(self) -> list[str]:
        return [_digest(self.commits[: at + 1]) for at in range(len(self.commits))]

    @property
    def clean(self) -> bool:
        return self.files == self.commits[-1]


class FakeWorkspace:
    """`WorkspacePort` over a `Tree` of the world."""

    def __init__(self, path: Path, tree: Tree) -> None:
        self.path = path
        self._tree = tree

    async def ensure(self, branch: str, base: str, merge: Sequence[str]) -> None:
        return

    async def make_whole(self, *, untouched: bool) -> Repair | None:
        self._tree.untouched.append(untouched)
        repair, self._tree.repair = self._tree.repair, None
        return repair

    async def head(self) -> str:
        return self._tree.head

    async def dirty(self) -> tuple[str, ...]:
        return () if self._tree.clean else tuple(self._tree.files)

    async def snapshot(self) -> Snapshot:
        return Snapshot(self._tree.head, "branch", _digest(self._tree.files), await self.dirty())

    async def snapshot_committed(self, commit: str = "HEAD") -> Snapshot:
        at = len(self._tree.commits) if commit == "HEAD" else self._tree.heads.index(commit) + 1
        return Snapshot(_digest(self._tree.commits[:at]), "branch", _digest(self._tree.commits[at - 1]))

    async def record(self, snapshot: Snapshot, message: str) -> str:
        return f"commit-of-{snapshot.tree}"

    async def fork_point(self, ref: str) -> str:
        return _digest(self._tree.commits[:1])

    async def ensure_branch(self, branch: str) -> None:
        return

    async def forbidden(self, since: Snapshot) -> tuple[str, ...]:
        return tuple(name for name in self._tree.files if name.startswith("kitty-specs/"))

    async def undo_forbidden(self, since: Snapshot) -> None:
        for name in await self.forbidden(since):
            del self._tree.files[name]

    async def commit(self, message: str) -> str | None:
        if self._tree.clean:
            return None
        self._tree.commits.append(dict(self._tree.files))
        return self._tree.head

    async def land(self, since: Snapshot, head: str, tree: str) -> None:
        raise AssertionError("the world's agents work in the workspace itself")

    async def left(self, since: Snapshot, base: str) -> Left:
        changed = self._tree.files if _digest(self._tree.files) != since.tree else {}
        commits = [
            f"{_digest(self._tree.commits[: at + 1])} work" for at in range(1, len(self._tree.commits))
        ]
        return Left(tuple(changed), tuple(reversed(commits)), await self.dirty())

    async def own_changes(self, base: str) -> bool:
        at = self._tree.heads.index(base) if base in self._tree.heads else 0
        return self._tree.commits[-1] != self._tree.commits[at]

    async def discard(self, since: Snapshot) -> tuple[str, ...]:
        kept = self._tree.heads.index(since.head) + 1
        changed = () if self._tree.clean and self._tree.head == since.head else tuple(self._tree.files)
        del self._tree.commits[kept:]
        self._tree.files = dict(self._tree.commits[-1])
        return changed

    async def diff(self, base: str, limit_bytes: int) -> Diff:
        return Diff(json.dumps(self._tree.commits[-1]), False, tuple(self._tree.commits[-1]), "")


class FakeRepository:
    """`RepositoryPort`; `unmerged` is what the next verification reports."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def current_branch(self) -> str | None:
        return "main"

    async def resolve(self, ref: str) -> str | None:
        found = next((tree for wp, tree in self._world.trees.items() if ref.endswith(wp)), None)
        return f"commit-of-{ref}" if found is None else found.head

    async def standing(self, branch: str, reviewed: Sequence[str], known: Sequence[str]) -> Standing | None:
        heads = self._of(branch).heads
        goal = max(reviewed, key=heads.index)
        after = heads[heads.index(goal) + 1 :]
        return Standing(heads[-1], tuple(Foreign(one, "sneaked in", ()) for one in after), (), goal)

    async def put_back(self, mission: str, wp: str, branch: str, commit: str) -> str:
        tree = self._of(branch)
        del tree.commits[tree.heads.index(commit) + 1 :]
        tree.files = dict(tree.commits[-1])
        return f"refs/kitty-run/{mission}/aside/{wp}"

    async def brought(self, before: str, target: str, known: Sequence[str]) -> tuple[Foreign, ...]:
        return ()

    async def lost(self, before: str, target: str, heads: Sequence[str]) -> Loss:
        return Loss((), before)

    async def remote_of(self, branch: str) -> str:
        return "origin"

    async def is_on(self, remote: str, branch: str) -> bool:
        return True

    async def push(self, remote: str, branch: str) -> str | None:
        return None

    def _of(self, branch: str) -> Tree:
        return next(tree for room, tree in self._world.trees.items() if branch.endswith(room))

    async def dirty_tracked(self) -> tuple[str, ...]:
        return ()

    async def commit_status(
        self, mission_dir: Path, message: str, worktree: Path | None = None
    ) -> str | None:
        self._world.status_commits.append(mission_dir)
        return "status-commit"

    async def verify_merged(self, target: str, heads: Mapping[str, str]) -> tuple[Unmerged, ...]:
        if not self._world.merged:
            return tuple(Unmerged(wp, "not merged") for wp in heads)
        return self._world.unmerged

    async def abort_merge(self) -> AbortedMerge | None:
        return None

    async def cleanup(self, worktrees: Sequence[Path], branches: Sequence[str], target: str) -> None:
        self._world.cleaned = True

    async def keep(self, mission: str, wp: str, sha: str) -> None:
        self._world.kept[wp] = sha

    async def kept(self, mission: str, wp: str) -> str | None:
        return self._world.kept.get(wp)


@dataclass
class Job:
    """An attempt as a scripted agent sees it."""

    launch: Launch
    wp: str
    role: str
    agent: str
    attempt: int
    cycle: int
    prompt: str
    tree: Tree
    now: datetime

    def work(self, name: str | None = None, seconds: float = 1.0) -> Did:
        """Change a file and end well."""
        self.tree.files[name or f"{self.wp}.txt"] = f"{self.role} {self.attempt}"
        return Did(seconds=seconds)

    def idle(self) -> Did:
        """Change nothing and end well."""
        return Did()

    def fail(self, status: int = 1, ending: Ending = "exit") -> Did:
        """End badly."""
        return Did(status=status if ending == "exit" else None, ending=ending)

    def limited(self, resets_at: str = "", seconds: float = 1.0) -> Did:
        """End at the limit of the agent's service, which names when it ends, or not."""
        said = f"limited until {resets_at}" if resets_at else "limited"
        return Did(status=1, seconds=seconds, output=f"{said}\n")

    def overloaded(self, seconds: float = 1.0) -> Did:
        """End since the agent's service is overloaded."""
        return Did(status=1, seconds=seconds, output="overloaded\n")

    def verdict(self, verdict: str = "approved", findings: Sequence[str] = (), seconds: float = 1.0) -> Did:
        """Write a verdict and end well."""
        code = self.launch.env["KITTY_VERDICT_CODE"]
        text = {
            "code": code,
            "verdict": verdict,
            "summary": f"{verdict} by {self.agent}",
            "findings": list(findings),
        }
        Path(self.launch.env["KITTY_VERDICT_FILE"]).write_text(json.dumps(text), encoding="utf-8")
        return Did(seconds=seconds)


@dataclass(frozen=True)
class Did:
    """How a job ended."""

    status: int | None = 0
    ending: Ending = "exit"
    seconds: float = 1.0
    output: str = ""


Script = Callable[[Job], Did]


def good(job: Job) -> Did:
    """Implement on the first try, approve on the first review."""
    return job.work() if job.role == "implement" else job.verdict()


class ScriptedExecutor:
    """`ProcessRunner` that lets the world's script act, and counts what runs at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self, launch: Launch, on_started: OnStarted) -> Exit:
        world = self._world
        env = launch.env
        job = Job(
            launch=launch,
            wp=env["KITTY_WP"],
            role=env["KITTY_ROLE"],
            agent=launch.argv[0],
            attempt=int(env["KITTY_ATTEMPT"]),
            cycle=int(env["KITTY_CYCLE"]),
            prompt=Path(env["KITTY_PROMPT_FILE"]).read_text(encoding="utf-8"),
            tree=world.tree(world.room(env["KITTY_WP"])),
            now=world.now(),
        )
        await on_started(Started(len(world.jobs) + 1, 0.0))
        world.jobs.append(job)
        world.running.append(job)
        world.peak = max(world.peak, len(world.running))
        try:
            did = world.script(job)
            launch.stdout.write_text(did.output, encoding="utf-8")
            await asyncio.sleep(did.seconds)
        finally:
            world.running.remove(job)
        return Exit(
            did.ending,
            did.status,
            9 if did.ending == "signal" else None,
            did.seconds,
            launch.stdout,
            launch.stderr,
        )


class World:
    """Everything around one engine. A second `run` goes on with the journal of the first."""

    def __init__(
        self,
        root: Path,
        dependencies: Mapping[str, Sequence[str]],
        *,
        dialect: str = "mission",
        profile: Profile | None = None,
        script: Script = good,
        faults: Sequence[Fault] = (),
        shape: str | None = None,
        subtasks: Mapping[str, int] | None = None,
        rooms: Mapping[str, str] | None = None,
        untold: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.profile = profile or profiles.profile()
        self.script = script
        self.host = SimHost.of(dependencies, dialect=dialect, repo=root, faults=list(faults), shape=shape)
        self.host.rooms, self.host.untold = rooms or {}, frozenset(untold)
        self.jobs: list[Job] = []
        self.running: list[Job] = []
        self.peak = 0
        self.clashes: list[str] = []
        self.merged = False
        self.unmerged: tuple[Unmerged, ...] = ()
        self.status_commits: list[Path] = []
        self.cleaned = False
        self.kept: dict[str, str] = {}
        self.trees: dict[str, Tree] = {}
        self.place = RunPlace(root / ".kitty-run" / "runs" / "run-1")
        self.on_event: Callable[[World, Event, Session], None] | None = None
        self.yes = False
        self.asker: Asker | None = None
        self.clock = START
        """When the latest session began."""
        self._write_prompts(rosters(dependencies, subtasks or {}))

    def _write_prompts(self, rosters: Mapping[str, tuple[str, ...]]) -> None:
        tasks = self.root / "kitty-specs" / self.host.held.mission / "tasks"
        tasks.mkdir(parents=True, exist_ok=True)
        held = self.host.held
        packages = {wp: replace(held.work_packages[wp], subtasks=roster) for wp, roster in rosters.items()}
        self.host.held = replace(held, work_packages=packages)
        for wp, roster in rosters.items():
            front = f"title: Part {wp}\nsubtasks: {json.dumps(roster)}\n"
            (tasks / f"{wp}.md").write_text(f"---\n{front}---\nDo {wp}.\n", encoding="utf-8")

    def room(self, wp: str) -> str:
        """The name of the workspace of `wp`."""
        return self.host.rooms.get(wp, wp)

    def worked(self, wp: str, lane: Lane) -> bool:
        """Whether `wp` is under way and an attempt of it was started."""
        return lane is Lane.IN_PROGRESS and any(job.wp == wp for job in self.jobs)

    def tree(self, room: str) -> Tree:
        """The workspace of that name; it is a work package's id where nothing is shared."""
        return self.trees.setdefault(room, Tree())

    def change(self, **changes: Any) -> None:
        """Change the profile for the next run."""
        self.profile = replace(self.profile, **changes)

    def later(self, seconds: float) -> None:
        """Let the next session begin so long after the journal's last line."""
        self.clock = self.events()[-1].at + timedelta(seconds=seconds)

    def run(self) -> Report:
        """One session, in virtual time."""
        return virtual_time.run(self._run())

    async def _run(self) -> Report:
        journal, memory = Journal(self.place.journal, self.now), Memory()
        for event in journal.open():
            memory.apply(event)
            self.clock = max(self.clock, event.at)
        journal.observe(memory.apply)
        control = Control()
        state = await self._first_look()
        services = Services(
            profile=self.profile,
            host=self.host,
            board=Board.of(state),
            journal=journal,
            memory=memory,
            place=self.place,
            repo=self.root,
            repository=FakeRepository(self),
            workspace=self._workspace,
            executor=LocalExecutor(
                Site(self.root, lambda _: self.place, self.now, os.environ), ScriptedExecutor(self)
            ),
            control=control,
            slots=Slots(self.profile.concurrency),
            breakers=Breakers(memory, self.profile.retry, self.now),
            assume_yes=self.yes,
            asker=self.asker,
            sizes=sizes(self.host, state.work_packages),
            random=Random(7),  # noqa: S311
            now=self.now,
        )
        self.host.observer = lambda call: _record(journal, call)
        session = Session(services)
        journal.write(header(RunStarted, self.profile, self.host, state))
        journal.observe(lambda event: self._follow(event, session))
        try:
            return await session.run()
        finally:
            journal.close()

    async def _first_look(self) -> MissionState:
        """The connection's own state call, which is before the engine's time and meets no fault."""
        faults, self.host.faults, self.host.observer = self.host.faults, [], None
        state = await self.host.state()
        self.host.faults = faults
        return state

    def _follow(self, event: Event, session: Session) -> None:
        if event.type == "call.started" and event.data["operation"] == "merge":
            self.merged = True
        if self.on_event is not None:
            self.on_event(self, event, session)

    def _workspace(self, path: Path) -> FakeWorkspace:
        path.mkdir(parents=True, exist_ok=True)
        return FakeWorkspace(path, self.tree(path.name.removeprefix(f"{self.host.held.mission}-")))

    def now(self) -> datetime:
        """The virtual time."""
        return self.clock + timedelta(seconds=asyncio.get_running_loop().time())

    def events(self, type_: str | None = None) -> list[Event]:
        """The journal's events, of one type or all."""
        return [event for event in read(self.place.journal) if type_ in (None, event.type)]

    def lanes(self) -> dict[str, Lane]:
        """The lanes as the host holds them."""
        return {wp: held.lane for wp, held in self.host.held.work_packages.items()}

    def operations(self, wp: str | None = None) -> list[str]:
        """The names of the host calls made, of one work package or all."""
        return [call.operation for call in self.host.calls if wp in (None, call.wp)]


def _record(journal: Journal, call: SimCall) -> None:
    journal.write(CallEnded(operation=call.operation, code=call.code, seconds=0.0, wp=call.wp))


def rosters(work_packages: Iterable[str], counts: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """As many subtasks as `counts` says for each work package; their ids are the mission's."""
    numbers = itertools.count(1)
    return {wp: tuple(f"T{next(numbers):03}" for _ in range(counts.get(wp, 0))) for wp in work_packages}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
