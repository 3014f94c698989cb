"""Host calls as the engine makes them: announced in the journal, and repeated as the retry table says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from kitty_run.engine.context import Run
from kitty_run.engine.decisions.foreign_moves import OwnPart, judge
from kitty_run.engine.decisions.retry import Decision, decide_call, decided
from kitty_run.engine.decisions.root_obstacles import CODES
from kitty_run.engine.lifecycle.outcomes import Refused
from kitty_run.engine.lifecycle.state_machine import CONTINUES
from kitty_run.engine.repeated_call import repeated_call
from kitty_run.engine.root_checkout import RootCheckout
from kitty_run.engine.state.events import CallStarted, LaneMovedByOthers
from kitty_run.errors import ExitStatus, KittyRunError, WorkspaceError
from kitty_run.host.model import Allocation, HostRefused, Lane, MissionState, WorkPackage
from kitty_run.host.protocol import Host
from kitty_run.machine import full
from kitty_run.profile.model import Action
from kitty_run.profile.retry_verbs import Again, verb

T = TypeVar("T")
_LOOKS_FIRST = frozenset({Action.PAUSE, Action.BLOCK})
"""What is decided of a refused call only after another look at the mission."""
_WAITS = frozenset({Again.STEP, Again.STATE})
"""What repeats a call that changes nothing."""
Rule = Callable[[HostRefused, int], Decision]
"""What the retry table says of a refusal of a call that was repeated so often already for that code."""


async def _nothing() -> None:
    """Nothing to be done."""


class CallGivenUp(KittyRunError):
    """Unwinds a step from inside of a host call that its retry row does not repeat.

    Calls are made deep inside of steps (a claim locates its dependencies' branches, for instance), and
    none of those between has anything to add to what the table says. Outside of a step it is an error like
    any other.
    """

    def __init__(self, refused: HostRefused, decision: Decision) -> None:
        pauses = decision.action is Action.PAUSE
        super().__init__(f"{refused}\n{CONTINUES}" if pauses else str(refused))
        self.refused = refused
        self.decision = decision
        if pauses:
            self.exit_status = ExitStatus.PAUSED

    @property
    def outcome(self) -> Refused:
        """What the step came to by it."""
        holder = str(self.refused.data.get("claimed_by") or "")
        return Refused(self.decision.action, str(self.refused), holder, self.refused.lost)


class RunAborted(KittyRunError):
    """The whole run ends: a retry row says `abort`, or the mission's state can't be read."""

    def __init__(self, message: str, exit_status: ExitStatus) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class HostCalls:
    """Makes host calls for the engine."""

    def __init__(self, run: Run, host: Host, root: RootCheckout) -> None:
        self._run = run
        self._root = root
        self.host = host
        """The host itself: its traits, and its calls, to be made by `call` and `for_mission`."""

    async def state(self) -> MissionState:
        """Read the mission's state and put it on the board.

        A work package that others moved during an own attempt, as if its work were good, is on the board as
        one that is to be reviewed; `remember(wp).moved` has the host's lane.
        """
        attempted = frozenset(self._run.memory.attempted)
        try:
            state = await self._read("state", self.host.state)
        except CallGivenUp as given_up:
            raise _unreadable(f"the mission's state can't be read: {given_up}", given_up) from given_up
        self._run.board.work_packages = {found.id: found for found in state.work_packages}
        self.take_lanes(attempted | self._run.memory.attempted)
        return state

    def take_lanes(self, attempted: Collection[str]) -> None:
        """Put on the board what the host says; `attempted` had attempts since it was asked before."""
        found = self._run.board.work_packages
        self._run.board.lanes = {wp: self._take_lane(one, attempted) for wp, one in found.items()}

    def _take_lane(self, found: WorkPackage, attempted: Collection[str]) -> Lane:
        memory = self._run.remember(found.id)
        if memory.moved is not None and found.lane is memory.moved:
            return Lane.FOR_REVIEW
        move = judge(
            memory.moved or memory.lane,
            found.lane,
            OwnPart(attempted, memory.base is not None, memory.called),
            self.host.traits.satisfied_by,
        )
        if move is None:
            self._run.moved(found.id, found.lane)
            return found.lane
        self._run.journal.write(
            LaneMovedByOthers(found.id, move.was, move.lane, during=move.attempts, approval=move.approval)
        )
        return Lane.FOR_REVIEW if move.approval else found.lane

    async def locate(self, wp: str) -> Allocation:
        """Where `wp` is worked on. Raises `CallGivenUp` with `block` where the host can't say of it.

        Where the row pauses, it pauses.
        """
        try:
            return await self._read("locate", lambda: self.host.locate(wp))
        except CallGivenUp as given_up:
            if given_up.decision.action is Action.PAUSE:
                raise
            raise CallGivenUp(given_up.refused, Decision(Action.BLOCK)) from given_up.refused

    async def note(self, wp: str, text: str) -> None:
        """A line in the host's history, where the profile wants it; a refusal changes nothing."""
        if self._run.profile.host.history == "none":
            return
        await self.wait_for_root("note", _nothing)
        try:
            await self.host.note(wp, text)
        except HostRefused as refused:
            self._run.notice(f"the host did not take a history note: {refused}", wp)

    async def ready(self) -> frozenset[str]:
        """What the host itself offers as ready."""
        return await self._read("ready", self.host.ready)

    async def call(
        self, operation: str, wp: str, target: Lane | None, call: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Make one mutating call for `wp` until it succeeds or its retry row says otherwise.

        `target` is the lane that a success leads to. A lost call is followed by a look at the state:
        where the WP has reached `target`, the call took effect and None is returned. With `target`
        None the call is simply repeatable.

        Raises `CallGivenUp` where the row does not repeat the call, after reading the state again where it
        says `refresh`; `Stop` where the run is stopping.
        """

        before = self._run.board.lanes[wp]

        async def once() -> T | None:
            self._run.journal.write(CallStarted(operation, wp=wp))
            try:
                reply = await call()
            except HostRefused as refused:
                if not refused.lost or not await self._took_effect(wp, target):
                    raise
                self._run.notice(f"{operation}: no usable reply, but the host shows that it took effect", wp)
                return None
            if target is not None:
                self._run.moved(wp, target)
            return reply

        try:
            return await self._repeat(
                operation, once, {Again.STEP}, lambda refused, _: self._rule(operation, wp, refused)
            )
        except CallGivenUp as given_up:
            if given_up.refused.code in CODES:
                raise  # the call was not made
            if verb(given_up.decision.action).again is Again.STATE:
                await self._run.control.pause(given_up.decision.wait)
                await self.state()
            elif given_up.decision.action in _LOOKS_FIRST:
                await self._look(wp, before, given_up)
            raise

    async def for_mission(
        self, operation: str, again: Collection[Again], call: Callable[[], Awaitable[T]]
    ) -> T:
        """Make a call for the whole mission, repeated where its retry row repeats one of `again`.

        Raises `CallGivenUp` where it does not, and `Stop` where the run is stopping.
        """

        async def once() -> T:
            self._run.journal.write(CallStarted(operation))
            return await call()

        return await self._repeat(operation, once, again, self._noticed("tried again", again))

    async def wait_for_root(self, operation: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, which is git's at the root checkout, when nothing there would stop `operation`.

        Raises `CallGivenUp` where that is not so for as long as the retry table waits for it.
        """

        async def once() -> T:
            try:
                return await work()
            except WorkspaceError:
                await self._root.check(operation)  # whatever stopped git may have come meanwhile
                raise

        return await self._repeat(operation, once, _WAITS, self._noticed("", _WAITS))

    async def _look(self, wp: str, before: Lane, given_up: CallGivenUp) -> None:
        """Read the state before a refusal ends `wp`: the call may have taken effect all the same.

        Raises `CallGivenUp` with `refresh` where it has left the lane `before`: the one that it is in
        decides what follows.
        """
        await self.state()
        if self._run.board.lanes[wp] is not before:
            raise CallGivenUp(given_up.refused, Decision(Action.REFRESH)) from given_up.refused

    async def _took_effect(self, wp: str, target: Lane | None) -> bool:
        state = await self.state()
        return target is not None and state.lane(wp) is target

    async def _read(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """A call that changes nothing. Raises `CallGivenUp`, or `RunAborted` where the reply was lost."""

        async def once() -> T:
            reply = await call()
            await self._root.check(operation)  # else it may be of another branch
            return reply

        try:
            return await self._repeat(operation, once, _WAITS, self._noticed("asked again", _WAITS))
        except CallGivenUp as given_up:
            if given_up.refused.lost:
                raise _unreadable(str(given_up), given_up) from given_up
            raise

    async def _repeat(
        self, operation: str, call: Callable[[], Awaitable[T]], again: Collection[Again], rule: Rule
    ) -> T:
        """`call`, repeated as often as `rule` decides for one of `again`; else raises `CallGivenUp`.

        It is not made while something at the root checkout is in its way. Raises `MachineFault` where the
        machine lets nobody write in the repository.
        """

        async def once() -> T:
            await self._root.check(operation)
            return await call()

        async def judge(found: HostRefused, repeats: int) -> Decision:
            # What the host can't do on a full disk says nothing of the work package, or of the host.
            if fault := await asyncio.to_thread(full, self._run.place.directory):
                raise fault from found
            refused = await self._root.explained(found)
            decision = rule(refused, repeats)
            if verb(decision.action).again not in again:
                raise CallGivenUp(refused, decision) from found
            return decision

        return await repeated_call(once, HostRefused, judge, self._run.control.pause)

    def _noticed(self, after: str, again: Collection[Again]) -> Rule:
        """The table's decision on a call that no work package remembers; a repeat is written as a notice."""

        noticed = ""

        def rule(refused: HostRefused, repeats: int) -> Decision:
            nonlocal noticed
            decision = self._decide(refused, repeats)
            waits = refused.code in CODES
            text = f"waiting: {refused}" if waits else f"{refused}; {after}"
            if verb(decision.action).again in again and not (waits and text == noticed):
                noticed = text
                self._run.notice(text)
            return decision

        return rule

    def _rule(self, operation: str, wp: str, refused: HostRefused) -> Decision:
        """The table's decision on a call for `wp`, whose repeats outlive the runner."""
        counter = f"host:{operation}:{refused.code}"
        decision = self._decide(refused, self._run.remember(wp).repeats.get(counter, 0))
        self._run.journal.write(decided(wp, "host", refused.code, counter, decision, str(refused)))
        return decision

    def _decide(self, refused: HostRefused, repeats: int) -> Decision:
        return decide_call(self._run.profile.retry.host, refused.code, repeats, self._run.random)


def _unreadable(message: str, given_up: CallGivenUp) -> RunAborted:
    """The end of a run whose host does not say what must be known, or its pause where the row says so."""
    paused = given_up.exit_status is ExitStatus.PAUSED
    return RunAborted(message, ExitStatus.PAUSED if paused else ExitStatus.HOST)
