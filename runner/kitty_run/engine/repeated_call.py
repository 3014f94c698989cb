"""The one loop over `retry.host`: the first calls of a run and all later ones are repeated in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kitty_run.engine.decisions.retry import Decision
from kitty_run.host.detect import HostUnanswered
from kitty_run.host.model import HostRefused

T = TypeVar("T")
Refusal = TypeVar("Refusal", HostRefused, HostUnanswered)


async def repeated_call(
    call: Callable[[], Awaitable[T]],
    refusal: type[Refusal],
    judge: Callable[[Refusal, int], Awaitable[Decision]],
    pause: Callable[[float], Awaitable[None]],
) -> T:
    """What `call` returns, made again after each `refusal` that `judge` decides to repeat.

    `judge` gets the refusal, and how often the call was repeated for its code already; it raises what ends
    the repeats. `pause` waits for the seconds that it decided.
    """
    repeats = Counter[str]()
    while True:
        try:
            return await call()
        except refusal as refused:
            decision = await judge(refused, repeats[refused.code])
            repeats[refused.code] = decision.repeat
        await pause(decision.wait)
