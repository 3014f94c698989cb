"""The first calls of a run, which find out what the host is: repeated as the retry table says, as all others.

There is no run yet, so that nothing counts these repeats beyond the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from kitty_run.engine.decisions.retry import Decision, decide_call
from kitty_run.engine.lifecycle.state_machine import CONTINUES
from kitty_run.engine.repeated_call import repeated_call
from kitty_run.engine.state.events import CallEnded
from kitty_run.engine.state.journal import Journal
from kitty_run.errors import ExitStatus, HostError
from kitty_run.host.client import CallRecord
from kitty_run.host.detect import HostUnanswered
from kitty_run.profile.model import Action, RetryTables
from kitty_run.profile.retry_verbs import verb

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]


class HostPaused(HostError):
    """The host did not answer the first calls, and their retry row pauses; the same command tries again."""

    exit_status = ExitStatus.PAUSED


async def repeated(
    connect: Callable[[], Awaitable[T]],
    retry: RetryTables,
    on_repeat: Callable[[str], None],
    pause: Pause = asyncio.sleep,
) -> T:
    """What `connect` returns, called again for as long as the row of its failure repeats anything.

    `on_repeat` gets a line for each. Raises `HostPaused` where the row pauses, and what `connect` raises.
    """
    random = Random()  # noqa: S311 - spreads waits

    async def judge(unanswered: HostUnanswered, repeats: int) -> Decision:
        decision = decide_call(retry.host, unanswered.code, repeats, random)
        if decision.action is Action.PAUSE:
            raise HostPaused(f"{unanswered}\n{CONTINUES}") from unanswered
        if not verb(decision.action).repeats:
            raise unanswered
        on_repeat(f"{unanswered}; asked again in {decision.wait:.0f} s (repeat {decision.repeat})")
        return decision

    return await repeated_call(connect, HostUnanswered, judge, pause)


class CallBook:
    """Observes host calls: keeps those made before there is a journal, and journals the later ones."""

    def __init__(self) -> None:
        self._early: list[CallRecord] = []
        self._journal: Journal | None = None

    def __call__(self, call: CallRecord) -> None:
        if self._journal is None:
            self._early.append(call)
        else:
            _write_call(self._journal, call)

    def attach(self, journal: Journal) -> None:
        """From now on write to `journal`, beginning with the calls made so far."""
        self._journal = journal
        for call in self._early:
            _write_call(journal, call)


def _write_call(journal: Journal, call: CallRecord) -> None:
    seconds = round(call.seconds, 3)
    journal.write(CallEnded(operation=call.operation, code=call.code, seconds=seconds, wp=call.wp))
