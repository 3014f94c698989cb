"""What earlier runs of a mission wrote down: its reviewed commits, and what it was merged into."""

from __future__ import annotations

from collections.abc import Sequence

from kitty_run.engine.state.events import RunStarted
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_state import Memory
from kitty_run.errors import JournalError


def memory_of(places: Sequence[RunPlace], mission: str, *, but: RunPlace) -> Memory:
    """The memory of all runs of `mission` among `places`, the oldest first, without that of `but`.

    Only for journals that were verified: what they say of commits is believed, and no ref is.
    """
    memory = Memory()
    for place in places:
        try:
            entries = () if place == but else tuple(read(place.journal))
        except JournalError:
            continue  # what can't be read is not known
        if entries and isinstance(first := entries[0].event, RunStarted) and first.mission == mission:
            for entry in entries:
                memory.apply(entry)
    return memory
