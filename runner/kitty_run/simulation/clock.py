"""An event loop in virtual time: its clock jumps to the next timer, so that hours of waiting take no time.

Timers fire in the same order as in real time, and nothing depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

PATIENCE = 20.0
"""Real seconds before a loop that waits without any timer counts as stuck."""


class InlineExecutor(ThreadPoolExecutor):
    """Runs at once what is handed to a thread, so that nothing depends on real time."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, as a thread would
            future.set_exception(error)
        return future


class _Selector(selectors.SelectSelector):
    """Advances the clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            if found := super().select(PATIENCE):  # the loop's own closing waits for a thread
                return found
            raise RuntimeError("everything waits, and no timer is set: the simulated run is stuck")
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module. `time()` begins at 0 and counts virtual seconds."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self.set_default_executor(InlineExecutor())

    def time(self) -> float:
        return self._virtual.now

    def stop_for(self, seconds: float) -> None:
        """Let the clock run for so long while nothing happens, as if the process had been stopped."""
        self._virtual.now += seconds


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end on a loop of its own.

    Raises what `work` raises, and `RuntimeError` where everything waits and nothing is left to happen.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
