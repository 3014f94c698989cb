"""Killing the runner at an instant: what it had not written or done by then never happened."""

from __future__ import annotations

import copy
from collections.abc import Callable

from kitty_run.engine.session import Session
from kitty_run.engine.state.journal import Event

from tests.engine.world import World


class Killed(BaseException):
    """kill -9."""


def run_and_kill(world: World, when: Callable[[Event, int], bool]) -> bool:
    """Run until `when(event, count)` says to kill the runner; whether that came to pass.

    The world is put back to that very instant: the cleaning up that this process still does is undone.
    """
    count = 0
    frozen: list[tuple[bytes, object, object, object]] = []

    def follow(_: World, event: Event, __: Session) -> None:
        nonlocal count
        count += 1
        if not frozen and when(event, count):
            kept = copy.deepcopy((world.host.held, world.trees, world.kept))
            frozen.append((world.place.journal.read_bytes(), *kept))
            raise Killed

    world.on_event = follow
    try:
        world.run()
    except BaseException as error:
        if not frozen or not _is_kill(error):
            raise
    finally:
        world.on_event = None
    if not frozen:
        return False
    journal, world.host.held, world.trees, world.kept = frozen[0]  # type: ignore[assignment]
    world.place.journal.write_bytes(journal)
    world.running.clear()
    return True


def _is_kill(error: BaseException) -> bool:
    if isinstance(error, Killed):
        return True
    causes = getattr(error, "exceptions", ()) or filter(None, (error.__cause__, error.__context__))
    return any(_is_kill(cause) for cause in causes)
