"""The door to one mission on one real host: steps to command lines, replies to types, one call at a time."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar

from kitty_run.host import envelope, replies
from kitty_run.host.criteria import Criterion
from kitty_run.host.dialect import READS, Dialect, Operation
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
from kitty_run.host.template import fill, render
from kitty_run.host.text import NAME_LENGTH, NOTE_LENGTH, REFERENCE_LENGTH, one_line
from kitty_run.host.transport.start import Starter
from kitty_run.host.transport.turns import Turns
from kitty_run.host.transport.unchanged import changed


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call that was made, for the journal; `code` is None where it succeeded, `seconds` its duration."""

    operation: str
    wp: str | None
    code: str | None
    seconds: float


Observer = Callable[[CallRecord], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the calls of one mission have in common; `timeout` is that of one call, in seconds."""

    dialect: Dialect
    contract: str
    repo: Path
    mission: str
    actor: str
    timeout: float
    starter: Starter
    observer: Observer
    origin_check: str | None = None
    untested: str | None = None
    """Why no mission was seen to finish on this host; None: one was."""


@dataclass
class SpecKitty:
    """The `Host` protocol on a real host (see `connect` in `detect`).

    `first` is the state that the connection was made with: the first `state()` returns it without a call,
    unless another call has been made since.
    """

    connection: Connection
    first: MissionState | None = None
    _turns: Turns = field(default_factory=Turns)

    @property
    def traits(self) -> Traits:
        return self.connection.dialect.traits

    @property
    def topology(self) -> Topology:
        """Read anew each time: planning commands may change a mission's shape between runs."""
        return self.connection.dialect.topology(self.connection.repo, self.connection.mission)

    @property
    def target(self) -> str | None:
        return self.connection.dialect.target(self.connection.repo, self.connection.mission)

    @property
    def merge_recorded(self) -> bool | None:
        """Read anew each time."""
        return self.connection.dialect.merge_recorded(self.connection.repo, self.connection.mission)

    @property
    def contract(self) -> str:
        return self.connection.contract

    @property
    def untested(self) -> str | None:
        """Why no mission was seen to finish on this host; None: one was."""
        return self.connection.untested

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def prompt_file(self, wp: str) -> Path | None:
        return self.connection.dialect.prompt_file(self.connection.repo, self.connection.mission, wp)

    def workspaces(self, wps: Sequence[str]) -> Mapping[str, str]:
        """Read anew each time, as the topology is."""
        return self.connection.dialect.workspaces(self.connection.repo, self.connection.mission, wps)

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """No host call runs meanwhile: for git at the root checkout, whose index lock the host needs too."""
        async with self._turns.alone():
            yield

    async def close(self) -> None:
        """End whatever the starter keeps running."""
        await self.connection.starter.close()

    async def state(self) -> MissionState:
        known, self.first = self.first, None
        if known is not None:
            return known
        return await self._ask("state", lambda data: replies.mission_state(data, self.connection.dialect))

    async def ready(self) -> frozenset[str]:
        return await self._ask("ready", replies.ready_ids)

    async def claim(self, wp: str, policy: Payload) -> Allocation:
        return await self._ask(
            "claim", lambda data: self._allocation(data, "claim"), wp, policy=json.dumps(policy)
        )

    async def reserve(self, wp: str) -> None:
        await self._call("reserve", wp)

    async def locate(self, wp: str) -> Allocation:
        at = self.connection
        if at.dialect.operations["locate"] is None:
            return replies.conventional(at.dialect, at.repo, at.mission, wp)
        return await self._ask("locate", lambda data: self._allocation(data, "locate"), wp)

    async def tick(self, wp: str, subtasks: Sequence[str]) -> None:
        if subtasks:
            await self._call("tick", wp, subtasks=[one_line(name, NAME_LENGTH) for name in subtasks])

    async def hand_in(self, wp: str, policy: Payload) -> None:
        await self._call("hand_in", wp, policy=json.dumps(policy))

    async def claim_review(self, wp: str, policy: Payload) -> None:
        await self._call("claim_review", wp, policy=json.dumps(policy))

    async def approve(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call("approve", wp, **_review_words(review, "approved"), policy=json.dumps(policy))

    async def reject(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call(
            "reject", wp, **_review_words(review, "changes_requested"), policy=json.dumps(policy)
        )

    async def confirm(self, wp: str, review: Review, policy: Payload) -> None:
        await self._call("confirm", wp, **_review_words(review, "approved"), policy=json.dumps(policy))

    async def block(self, wp: str, lane: Lane, reason: str, policy: Payload) -> None:
        reason = one_line(reason, NOTE_LENGTH)
        await self._call("block", wp, lane=lane.value, text=reason, policy=json.dumps(policy))

    async def note(self, wp: str, text: str) -> None:
        await self._call("note", wp, text=one_line(text, NOTE_LENGTH))

    def criteria(self) -> tuple[Criterion, ...]:
        """Read anew each time."""
        return self.connection.dialect.criteria(self.connection.repo, self.connection.mission)

    async def settle(self, criterion: str, result: str, evidence: str) -> None:
        text = one_line(evidence, NOTE_LENGTH)
        await self._call("settle", criterion=criterion, result=result, evidence=text)

    async def accept(self) -> None:
        try:
            await self._call("accept")
        except HostRefused as refused:
            raise self._explained(refused) from refused

    async def merge(self, target: str | None, strategy: str, push: bool) -> MergeReply:
        asked = MergeReply(target or "", strategy, None)
        return await self._ask(
            "merge",
            lambda data: replies.merge_reply(data, self.connection.dialect, asked),
            target=target,
            strategy=strategy,
            push=push,
        )

    def _explained(self, refused: HostRefused) -> HostRefused:
        """A refused acceptance, with who settles what is outstanding, and how."""
        at = self.connection
        wants, kept = at.dialect.readiness, at.dialect.criteria_file
        if wants is None:
            return refused
        names = {"mission": at.mission, "actor": one_line(at.actor, NAME_LENGTH)}
        unsettled = [shlex.quote(one.id) for one in self.criteria() if one.open]
        commands = [fill(kept.by_hand, {**names, "criterion": one}) for one in unsettled] if kept else []
        return wants.explained(refused, names, commands)

    def _allocation(self, data: envelope.Json, operation: str) -> Allocation:
        at = self.connection
        return replies.allocation(data, at.dialect, at.repo, at.mission, operation)

    async def _call(self, name: str, wp: str | None = None, **values: object) -> None:
        """One call that need only succeed; a step that the dialect lacks is no call."""
        await self._ask(name, lambda _: None, wp, **values)

    async def _ask(
        self, name: str, parse: Callable[[envelope.Json], T], wp: str | None = None, **values: object
    ) -> T:
        """What `parse` makes of one call's reply; where it raises `HostRefused`, the call has failed."""
        operation = self.connection.dialect.operations.get(name)
        if operation is None:
            return parse({})
        self.first = None
        at = self.connection
        actor = one_line(at.actor, NAME_LENGTH)
        common = {"mission": at.mission, "wp": wp or "", "actor": actor, "origin_check": at.origin_check}
        argv = render(operation.argv, {**common, **values})
        together = name in READS and self.traits.serialise == "mutations"
        async with self._turns.shared() if together else self._turns.alone():
            return await self._observed(name, wp, operation, argv, parse)

    async def _observed(
        self,
        name: str,
        wp: str | None,
        operation: Operation,
        argv: tuple[str, ...],
        parse: Callable[[envelope.Json], T],
    ) -> T:
        at, begin = self.connection, monotonic()
        read = envelope.data_of if operation.reply == "envelope" else envelope.object_of
        code = None
        try:
            reply = await at.starter.call(argv, at.repo, at.timeout)
            said = envelope.contract_of(reply)
            if said is not None and said != at.contract:
                raise changed(f"it keeps the contract {said} now, not {at.contract}")
            return parse(read(reply, name))
        except HostRefused as refused:
            precise = refused.precise(at.dialect.precise)
            code = precise.code
            raise precise from refused.__cause__
        finally:
            at.observer(CallRecord(name, wp, code, monotonic() - begin))


def _review_words(review: Review, verdict: str) -> dict[str, str]:
    """The review's words for the host; ValueError where its verdict is not what the step says."""
    if review.verdict != verdict:
        raise ValueError(f"a review with the verdict {review.verdict!r} is reported as {verdict!r}")
    return {
        "reviewer": one_line(review.reviewer, NAME_LENGTH),
        "verdict": verdict,
        "reference": one_line(review.reference, REFERENCE_LENGTH),
    }
