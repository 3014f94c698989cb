"""The time that a session worked: by a clock that nobody sets, without what the runner was stopped for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

BEAT = 5.0
"""Seconds between two looks at the clock: of a stop, at most so many count as worked."""
MISSED = 1.0
"""Seconds by which a look may come late before the runner counts as having been stopped."""


class WorkClock:
    """Called, it gives the seconds that were worked since it was made.

    `source` counts seconds; it stops while the machine sleeps, where the system's monotonic clock does. A
    process that was stopped (^Z, SIGSTOP, a paused virtual machine) did not look at it meanwhile, by which
    that is seen. `beat` None: it is never stopped.
    """

    def __init__(self, source: Callable[[], float] = time.monotonic, beat: float | None = BEAT) -> None:
        self._source, self._beat = source, beat
        self._looking = False
        self._seen = source()
        self._worked = 0.0

    def __call__(self) -> float:
        now = self._source()
        passed = max(now - self._seen, 0.0)
        if self._looking and self._beat is not None and passed > self._beat + MISSED:
            passed = self._beat
        self._seen = now
        self._worked += passed
        return self._worked

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Inside, time in which the process was stopped does not count."""
        if self._beat is None:
            yield
            return
        self()
        self._looking = True
        looks = asyncio.create_task(self._look(self._beat))
        try:
            yield
        finally:
            looks.cancel()
            await asyncio.wait({looks})
            self()
            self._looking = False

    async def _look(self, beat: float) -> None:
        while True:
            await asyncio.sleep(beat)
            self()
