"""Host calls as the engine makes them: announced in the journal, and repeated as the retry table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, assert_never

from kitty_run.engine.context import Services
from kitty_run.engine.decisions.retry import Decision, decide, row_for
from kitty_run.engine.shutdown import EndCode, Ended
from kitty_run.engine.state.events import CallStarted, RetryDecided
from kitty_run.errors import ExitStatus, KittyRunError
from kitty_run.host.model import Allocation, HostRefused, Lane, MissionState
from kitty_run.profile.model import Action
from kitty_run.profile.retry_verbs import Again, verb

T = TypeVar("T")


class Refresh(Exception):
    """Control flow: the state has been read again, and the work package's next step is decided anew."""


class Blocked(Exception):
    """Control flow: the work package can't go on; `reason` is told to the host and to people."""

    def __init__(self, code: EndCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class RunAborted(KittyRunError):
    """A retry row said `abort`: the whole run ends."""

    def __init__(self, message: str, exit_status: ExitStatus) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class Desk:
    """Makes host calls for the engine."""

    def __init__(self, services: Services) -> None:
        self._s = services

    async def state(self) -> MissionState:
        """Read the mission's state and put it on the board."""
        try:
            state = await self._read(self._s.host.state)
        except HostRefused as refused:
            raise RunAborted(f"the mission's state can't be read: {refused}", ExitStatus.HOST) from refused
        for found in state.work_packages:
            self._s.moved(found.id, found.lane)
        self._s.board.update(state)
        return state

    async def locate(self, wp: str) -> Allocation:
        """Where `wp` is worked on. Raises `Blocked` where the host can't tell of this work package."""
        try:
            return await self._read(lambda: self._s.host.locate(wp))
        except HostRefused as refused:
            raise Blocked(EndCode.HOST_REFUSED, str(refused)) from refused

    async def note(self, wp: str, text: str) -> None:
        """A line in the host's history, where the profile wants it; a refusal changes nothing."""
        if self._s.profile.host.history == "none":
            return
        try:
            await self._s.host.note(wp, text)
        except HostRefused as refused:
            self._s.notice(f"the host did not take a history note: {refused}", wp)

    async def ready(self) -> frozenset[str]:
        """What the host itself offers as ready."""
        return await self._read(self._s.host.ready)

    async def call(
        self, operation: str, wp: str, target: Lane | None, call: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Make one mutating call for `wp` until it succeeds or its retry row says otherwise.

        `target` is the lane that a success leads to. A lost call is followed by a look at the state:
        where the WP has reached `target`, the call took effect and None is returned. With `target`
        None the call is simply repeatable.

        Raises `Refresh`, `Blocked`, `Ended` or `RunAborted` as the row decides.
        """
        while True:
            self._s.journal.write(CallStarted(operation, wp=wp))
            try:
                reply = await call()
            except HostRefused as refused:
                if refused.lost and await self._took_effect(wp, target):
                    self._s.notice(
                        f"{operation}: no usable reply, but the host shows that it took effect", wp
                    )
                    return None
                await self._act(self._decide(operation, wp, refused), refused, wp)
                continue
            if target is not None:
                self._s.moved(wp, target)
            return reply

    async def _took_effect(self, wp: str, target: Lane | None) -> bool:
        state = await self.state()
        return target is not None and state.lane(wp) is target

    def _decide(self, operation: str, wp: str, refused: HostRefused) -> Decision:
        counter = f"host:{operation}:{refused.code}"
        row = row_for(self._s.profile.retry.host, refused.code)
        repeats = self._s.remember(wp).repeats.get(counter, 0)
        decision = decide(row, repeats, spread=self._s.random.uniform(-1, 1))
        self._s.journal.write(
            RetryDecided(
                wp,
                table="host",
                key=refused.code,
                counter=counter,
                action=decision.action,
                wait=round(decision.wait, 3),
                repeat=decision.repeat,
                reason=str(refused),
            )
        )
        return decision

    async def _act(self, decision: Decision, refused: HostRefused, wp: str) -> None:
        match decision.action:
            case Action.RETRY | Action.WAIT:
                await self._s.control.pause(decision.wait)
            case Action.REFRESH:
                await self._s.control.pause(decision.wait)
                await self.state()
                raise Refresh
            case Action.SKIP:
                raise _skipped(refused)
            case Action.ABORT:
                raise RunAborted(f"{wp}: {refused}", abort_status(refused))
            case Action.BLOCK | Action.FALLBACK | Action.REWORK:  # the host has no next agent and no feedback
                raise Blocked(EndCode.HOST_REFUSED, str(refused))
            case unreachable:
                assert_never(unreachable)

    async def _read(self, call: Callable[[], Awaitable[T]]) -> T:
        repeats = 0
        while True:
            try:
                return await call()
            except HostRefused as refused:
                row = row_for(self._s.profile.retry.host, refused.code)
                decision = decide(row, repeats, spread=self._s.random.uniform(-1, 1))
                if verb(decision.action).again not in {Again.STEP, Again.STATE}:
                    if refused.lost:
                        raise RunAborted(str(refused), ExitStatus.HOST) from refused
                    raise
                self._s.notice(f"{refused}; asked again")
                repeats = decision.repeat
                await self._s.control.pause(decision.wait)


def _skipped(refused: HostRefused) -> Ended:
    """The end of a work package that is skipped: by whom it is held, where the host says so."""
    owner = refused.data.get("claimed_by")
    return Ended(EndCode.HELD, f"held by {owner}") if owner else Ended(EndCode.SKIPPED, str(refused))


def abort_status(refused: HostRefused) -> ExitStatus:
    """The exit status of a run that `refused` ended: a lost call means that the host is unusable."""
    return ExitStatus.HOST if refused.lost else ExitStatus.INCOMPLETE
