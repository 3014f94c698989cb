"""A host in memory: the simulated host's rules behind the `Host` protocol, without git, files or processes.

For tests of whatever drives a host, under virtual time too:

    host = SimHost.of({"WP01": [], "WP02": ["WP01"]}, faults=[Fault("hand_in", "HOST_TIMEOUT", after=True)])

Each method renders the dialect's command line and hands it to the rules, so that the host sees exactly what
a real one would. Paths in allocations follow the dialect's habits below `repo`; nothing is created there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from kitty_run.host.criteria import Criterion
from kitty_run.host.dialect_files import named
from kitty_run.host.envelope import Json, data_of
from kitty_run.host.model import (
    Allocation,
    HostRefused,
    Lane,
    MergeReply,
    MissionState,
    Review,
    Topology,
    Traits,
)
from kitty_run.host.protocol import Payload
from kitty_run.host.replies import merge_reply, mission_state, ready_ids
from kitty_run.host.sim import rules as engine
from kitty_run.host.sim.answers import envelope_text, understood
from kitty_run.host.sim.arguments import parse
from kitty_run.host.sim.state import Answer, SimState, SimWorkPackage
from kitty_run.host.sim.tables import rules
from kitty_run.host.template import Values, render
from kitty_run.host.transport.start import RawReply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure to come: the next `times` calls of `operation` (of `wp`, where given) fail with `code`.

    `after`: the call takes effect all the same, and only its reply is lost. With `spoil` it is carried out as
    any other, and the client reads what `spoil` makes of the text of the reply.
    """

    operation: str
    code: str
    wp: str | None = None
    after: bool = False
    times: int = 1
    spoil: Callable[[str], str] | None = None

    def strikes(self, operation: str, wp: str | None) -> bool:
        """Whether this call is one of those that fail."""
        return self.times > 0 and self.operation == operation and self.wp in (None, wp)


@dataclass(frozen=True, slots=True)
class SimCall:
    """A call that was made: the step, its work package, the argv, and the code that it was refused with."""

    operation: str
    wp: str | None
    argv: tuple[str, ...]
    code: str | None


@dataclass(kw_only=True)
class SimHost:
    """See the module. `latency` is what each call takes, in seconds of the event loop's time.

    `held` is what the host holds, `calls` all calls so far; `uncommitted` the ids whose branch has no commit
    of its own (the host refuses to take them in for review where its rules want one).
    """

    held: SimState
    dialect: str = "mission"
    actor: str = "kitty-run"
    repo: Path = Path("/sim")
    faults: list[Fault] = field(default_factory=list)
    latency: float = 0.0
    shape: str | None = None
    """The topology's name in the dialect; None: its last, the plainest."""
    wanted: tuple[Criterion, ...] = ()
    """The mission's acceptance criteria."""
    settled: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The results that criteria were given, and the evidence."""
    calls: list[SimCall] = field(default_factory=list)
    uncommitted: set[str] = field(default_factory=set)
    rooms: Mapping[str, str] = field(default_factory=dict)
    """The names of workspaces that work packages share; one that is not named has its own."""
    unannounced: frozenset[str] = frozenset()
    """Work packages whose workspace is unknown before the claim."""
    under_way: asyncio.Future[None] | None = None  # not done while a call is answered
    observer: Callable[[SimCall], None] | None = None
    """Gets every call after it was made, as the real client reports its own."""

    def __post_init__(self) -> None:
        self._dialect = named(self.dialect)
        self._rules = rules(self.dialect)
        self._turn = asyncio.Lock()
        if self.topology.own_worktree is not None:
            self.rooms = dict.fromkeys(self.held.work_packages, "work")

    @classmethod
    def of(cls, dependencies: Mapping[str, Sequence[str]], mission: str = "demo", **options: Any) -> SimHost:
        """A host with planned work packages: their ids, and the ids that each depends on."""
        planned = {wp: SimWorkPackage(wp, dependencies=tuple(names)) for wp, names in dependencies.items()}
        return cls(held=SimState(mission, planned), **options)

    @property
    def traits(self) -> Traits:
        return self._dialect.traits

    @property
    def topology(self) -> Topology:
        shapes = {shape.topology.name: shape.topology for shape in self._dialect.shapes}
        return shapes[self.shape] if self.shape else self._dialect.shapes[-1].topology

    @property
    def target(self) -> str | None:
        return "main"

    @property
    def merge_recorded(self) -> bool | None:
        return self.held.merged if self.topology.merge_record else None

    def prompt_file(self, wp: str) -> Path | None:
        return self._dialect.prompt_file(self.repo, self.held.mission, wp)

    def workspaces(self, wps: Sequence[str]) -> Mapping[str, str]:
        return {wp: self.rooms.get(wp, wp) for wp in wps if wp not in self.unannounced}

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """No call runs meanwhile."""
        async with self._turn:
            yield

    def reconnect(self) -> None:
        """A new client, on an event loop of its own: no call of an earlier one is under way."""
        self._turn = asyncio.Lock()

    @property
    def contract(self) -> str:
        return self._rules.contract

    def lane(self, wp: str) -> Lane:
        """Where `wp` is now; not a call."""
        return self.held.work_packages[wp].lane

    def move(self, wp: str, lane: Lane, actor: str | None = None) -> None:
        """Somebody else moves `wp`, past every rule; not a call."""
        changed = self.held.work_packages[wp]
        self.held = self.held.with_wp(replace(changed, lane=lane, actor=actor or changed.actor))

    async def state(self) -> MissionState:
        return await self._ask("state", lambda data: mission_state(data, self._dialect))

    async def ready(self) -> frozenset[str]:
        return await self._ask("ready", ready_ids)

    async def reserve(self, wp: str) -> None:
        await self._call("reserve", wp)

    async def claim(self, wp: str, policy: Payload) -> Allocation:
        await self._call("claim", wp, policy=json.dumps(policy))
        return self._allocation(wp)

    async def locate(self, wp: str) -> Allocation:
        await self._call("locate", wp)
        return self._allocation(wp)

    async def tick(self, wp: str, subtasks: Sequence[str]) -> None:
        if subtasks:
            await self._call("tick", wp, subtasks=tuple(subtasks))

    async def hand_in(self, wp: str, policy: Payload) -> None:
        await self._call("hand_in", wp, policy=json.dumps(policy))

    async def claim_review(self, wp: str, policy: Payload) -> None:
        await self._call("claim_review", wp, policy=json.dumps(policy))

    async def approve(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call("approve", wp, **_of(review), policy=json.dumps(policy))

    async def reject(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call("reject", wp, **_of(review), policy=json.dumps(policy))

    async def confirm(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call("confirm", wp, **_of(review), policy=json.dumps(policy))

    async def block(self, wp: str, lane: Lane, reason: str, policy: Payload) -> None:
        await self._call("block", wp, lane=lane.value, text=reason, policy=json.dumps(policy))

    async def note(self, wp: str, text: str) -> None:
        await self._call("note", wp, text=text)

    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(replace(one, open=one.id not in self.settled) for one in self.wanted)

    async def settle(self, criterion: str, result: str, evidence: str) -> None:
        await self._call("settle", criterion=criterion, result=result, evidence=evidence)
        self.settled[criterion] = (result, evidence)

    async def accept(self) -> None:
        await self._call("accept")

    async def merge(self, target: str | None, strategy: str, push: bool) -> MergeReply:
        asked = MergeReply(target or "main", strategy, None)
        return await self._ask(
            "merge",
            lambda data: merge_reply(data, self._dialect, asked),
            target=target,
            strategy=strategy,
            push=push,
        )

    async def _call(self, operation: str, wp: str | None = None, **values: object) -> None:
        """A call that need only succeed."""
        await self._ask(operation, lambda _: None, wp, **values)

    async def _ask(
        self, operation: str, read: Callable[[Json], T], wp: str | None = None, **values: object
    ) -> T:
        """One turn at the host; a step that the dialect lacks does nothing and is no call."""
        template = self._dialect.operations.get(operation)
        if template is None:
            return read({})
        async with self._turn:
            self.under_way = asyncio.ensure_future(asyncio.sleep(self.latency))
            await self.under_way
            argv = render(template.argv, self._values(wp, values))
            answer = self._struck(operation, wp, argv) or self._answer(argv)
        try:
            found, refused = understood(operation, answer, read), None
        except HostRefused as error:
            refused = error
        self.calls.append(SimCall(operation, wp, argv, refused.code if refused else None))
        if self.observer is not None:
            self.observer(self.calls[-1])
        if refused is not None:
            raise refused
        return found

    def _values(self, wp: str | None, values: Values) -> Values:
        common = {"mission": self.held.mission, "wp": wp or "", "actor": self.actor, "origin_check": None}
        return {**common, **values}

    def _struck(self, operation: str, wp: str | None, argv: tuple[str, ...]) -> Answer | None:
        for index, fault in enumerate(self.faults):
            if fault.strikes(operation, wp):
                self.faults[index] = replace(fault, times=fault.times - 1)
                if fault.spoil is not None:
                    return self._spoiled(operation, self._answer(argv), fault.spoil)
                if fault.after:
                    self._answer(argv)
                return Answer(fault.code, {}, "injected")
        return None

    def _spoiled(self, operation: str, answer: Answer, spoil: Callable[[str], str]) -> Answer:
        """What the client reads in the text of `answer` after `spoil`."""
        text, status = spoil(envelope_text(self._rules, operation, answer)), int(answer.code is not None)
        try:
            return Answer(None, data_of(RawReply(text, "", status, 0.0), operation))
        except HostRefused as refused:
            return Answer(refused.code, refused.data, str(refused))

    def _answer(self, argv: tuple[str, ...]) -> Answer:
        call = parse(self._rules, argv)
        unsettled = tuple(one.id for one in self.criteria() if one.open)
        alone = self.topology.own_worktree is not None
        call = replace(call, committed=call.wp not in self.uncommitted, open=unsettled, alone=alone)
        self.held, answer = engine.apply(self._rules, self.held, call)
        named_mission = {self._dialect.fields.mission: self.held.mission}
        return replace(answer, data={**named_mission, **answer.data})

    def _allocation(self, wp: str) -> Allocation:
        directory = f"{self.held.mission}-{self.rooms.get(wp, wp)}"
        host_made = self.traits.workspaces == "host"
        return Allocation(
            wp=wp,
            workspace=self.repo / ".worktrees" / directory,
            prompt=self.repo / "kitty-specs" / self.held.mission / "tasks" / f"{wp}.md",
            branch=f"kitty/mission-{directory}" if host_made else directory,
            base="main" if host_made else None,
        )


def _of(review: Review) -> dict[str, str]:
    return {"reviewer": review.reviewer, "verdict": review.verdict, "reference": review.reference}
