"""What other runs wrote down: reviewed commits of the mission, and what all of a repository cost today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from kitty_run.engine.state.events import RunStarted
from kitty_run.engine.state.journal import read
from kitty_run.engine.state.own_runs import OwnRuns
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.usage import NO_COST, Cost, Ledger
from kitty_run.errors import JournalError
from kitty_run.profile.limits import Limits


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


def cost_of_others(limits: Limits, repo: Path, run: str | None, now: datetime) -> Mapping[date, Cost]:
    """The cost of the attempts that ended on the day of `now`, in all runs of `repo` but `run`; blocks.

    Nothing where no limit asks for it. Journals that were not written to since midnight are not read. Raises
    `JournalError` where one can't be.
    """
    if limits.cost_usd_per_day is None:
        return {}
    known, spent, today = OwnRuns(repo), NO_COST, day_of(now)
    for place in known.places:
        written = datetime.fromtimestamp(known.written(place).st_mtime, UTC)
        if place.id == run or day_of(written) < today:
            continue
        ledger = Ledger()
        for entry in known.journal(place).contents.entries:
            ledger.take(entry)
        spent = spent.and_of(ledger.days.get(today, NO_COST))
    return {today: spent}


def day_of(moment: datetime) -> date:
    """The day of an aware moment, as the clock here has it."""
    return moment.astimezone().date()
