"""The door to a mission on a host, as the engine knows it: real or simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from kitty_run.host.criteria import Criterion
from kitty_run.host.model import Allocation, Lane, MergeReply, MissionState, Review, Topology, Traits

Payload = Mapping[str, object]
"""A policy as the `--policy` JSON object (see `Policy.payload`)."""


class Host(Protocol):
    """The door to one mission on one host. Every method raises `HostRefused`; none retries.

    Mutating methods carry the configured actor, which is one constant for every move into `in_progress`
    (else the host answers `WP_ALREADY_CLAIMED`). Texts are sanitised to one line by the implementation.
    """

    @property
    def traits(self) -> Traits: ...

    @property
    def topology(self) -> Topology: ...

    @property
    def contract(self) -> str: ...

    @property
    def dialect(self) -> str: ...

    @property
    def target(self) -> str | None:
        """The branch that the mission's own record names for its merge, None where it names none."""
        ...

    @property
    def merge_recorded(self) -> bool | None:
        """Whether the mission's own record says that it is merged; None where only git is asked."""
        ...

    def prompt_file(self, wp: str) -> Path | None:
        """The prompt file of `wp`, found by the host's names without a call; None where there is none."""
        ...

    def workspaces(self, wps: Sequence[str]) -> Mapping[str, str]:
        """A name for the workspace of each of `wps`, without a call: those with one name share it.

        Those that the host's plan doesn't name before their claim are left out.
        """
        ...

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """No host call runs meanwhile: for git at the root checkout, whose index lock the host needs too."""
        ...

    async def state(self) -> MissionState: ...

    async def ready(self) -> frozenset[str]:
        """The ids that `list-ready` offers."""
        ...

    async def reserve(self, wp: str) -> None:
        """planned to claimed, with the actor's name, where the host has that step (`traits.reserves`)."""
        ...

    async def claim(self, wp: str, policy: Payload) -> Allocation:
        """start-implementation; repeatable by the same actor."""
        ...

    async def locate(self, wp: str) -> Allocation:
        """Where `wp` is worked on, without changing anything."""
        ...

    async def tick(self, wp: str, subtasks: Sequence[str]) -> None:
        """Mark `subtasks` as done where the host keeps them by itself; else nothing."""
        ...

    async def hand_in(self, wp: str, policy: Payload) -> None:
        """in_progress to for_review."""
        ...

    async def claim_review(self, wp: str, policy: Payload) -> None:
        """for_review to in_review where the host has that lane (`traits.review_claim`); else nothing."""
        ...

    async def approve(self, wp: str, review: Review, policy: Payload) -> None:
        """To done, with the review as evidence."""
        ...

    async def reject(self, wp: str, review: Review, policy: Payload) -> None:
        """Back to in_progress, by the implementing actor."""
        ...

    async def confirm(self, wp: str, review: Review, policy: Payload) -> None:
        """approved to done."""
        ...

    async def block(self, wp: str, lane: Lane, reason: str, policy: Payload) -> None:
        """From `lane` to blocked, with the reason as note."""
        ...

    async def note(self, wp: str, text: str) -> None:
        """append-history."""
        ...

    def criteria(self) -> tuple[Criterion, ...]:
        """The mission's acceptance criteria as they are now, without a call; none where the host has none."""
        ...

    async def settle(self, criterion: str, result: str, evidence: str) -> None:
        """Give the `result` (`pass` or `fail`) of one acceptance criterion, and what it rests on."""
        ...

    async def accept(self) -> None: ...

    async def merge(self, target: str | None, strategy: str, push: bool) -> MergeReply: ...
