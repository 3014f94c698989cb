"""Stopping a run politely: draining on the first signal, and pauses that a drain cuts short."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kitty_run.engine.state.end_codes import EndCode, Result


@dataclass(frozen=True, slots=True)
class End:
    """How a work package ended in this run. `reason` is for people; `gate` is the one that it waits at."""

    code: EndCode
    reason: str = ""
    gate: str | None = None

    @property
    def result(self) -> Result:
        """What that is in short."""
        return self.code.result


class Stop(Exception):
    """Unwinds whatever is under way, since it may not continue; `end` says why.

    Raised where something waits or asks whether it may continue: the run stops, a limit is reached, a gate
    waits or another work package holds the workspace. Like asyncio's cancellation it passes through all
    that is between such a place and whoever started the work.
    """

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end


class Control:
    """Whether the run is stopping, and why.

    `drain` lets running attempts finish and starts nothing new; each work package meets it at its next
    `checkpoint` or `pause`.
    """

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self.code = EndCode.NOT_REACHED
        self.reason = ""

    @property
    def draining(self) -> bool:
        return self._stopping.is_set()

    @property
    def limit(self) -> bool:
        """Whether it is a limit that stops the run."""
        return self.code is EndCode.LIMIT_REACHED

    def drain(self, code: EndCode, reason: str) -> None:
        """Stop starting things; the first reason is the one that counts."""
        if not self.draining:
            self.code, self.reason = code, reason
            self._stopping.set()

    def lift(self) -> None:
        """Take back a limit's stop: limits are for agents, and what is left to do needs none."""
        if self.limit:
            self.code, self.reason = EndCode.NOT_REACHED, ""
            self._stopping.clear()

    def end(self) -> End:
        """The end of whatever the stop keeps from continuing."""
        return End(self.code, self.reason)

    def checkpoint(self) -> None:
        """Raise `Stop` if the run is stopping."""
        if self.draining:
            raise Stop(self.end())

    async def pause(self, seconds: float) -> None:
        """Wait; raises `Stop` as soon as the run is stopping."""
        self.checkpoint()
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        self.checkpoint()


@contextmanager
def signals(interrupt: Callable[[], None], end_now: Callable[[], None]) -> Iterator[None]:
    """^C drains, a second one ends the agents; SIGTERM and SIGHUP end them at once.

    A signal that whoever started the runner has set to be ignored (`nohup`) stays ignored.
    """
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: end_now, signal.SIGHUP: end_now}
    heard = [name for name in handlers if signal.getsignal(name) is not signal.SIG_IGN]
    for name in heard:
        loop.add_signal_handler(name, handlers[name])
    try:
        yield
    finally:
        for name in heard:
            loop.remove_signal_handler(name)
