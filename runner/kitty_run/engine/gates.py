"""Gates: places where a person is asked. An answer is a file in the run's directory, written by
`kitty-run approve` or `reject`, or `--yes` for all of them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kitty_run.engine.control import Ended, Result
from kitty_run.engine.journal import Event
from kitty_run.engine.places import RunPlace
from kitty_run.errors import JournalError
from kitty_run.profile.model import GateName

if TYPE_CHECKING:
    from kitty_run.engine.services import Services

LOOK = 1.0
"""Seconds between two looks for an answer that was given elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to a gate; `by` names who gave it."""

    approved: bool
    by: str = "kitty-run"
    note: str = ""


def gate_id(gate: GateName, wp: str | None = None) -> str:
    """The name that `kitty-run approve` takes: `merge`, or `done-WP01` for a work package's gate."""
    return gate if wp is None else f"{gate}-{wp}"


def answer_of(place: RunPlace, gate: str) -> Answer | None:
    """The answer given to `gate`, None where there is none yet."""
    path = place.gates / f"{gate}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Answer(bool(data["approved"]), str(data["by"]), str(data.get("note", "")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JournalError(f"the answer in {path} can't be read: {error}; give it again") from error


def give(place: RunPlace, gate: str, answer: Answer) -> Path:
    """Write `answer` so that a waiting or later run finds it whole."""
    place.gates.mkdir(parents=True, exist_ok=True)
    path = place.gates / f"{gate}.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(answer)), encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 (atomic on purpose)
    return path


def waiting(events: Iterable[Event]) -> list[str]:
    """The gates that a run waits at, by its journal: reached, and not answered since."""
    found: dict[str, None] = {}
    for event in events:
        gate = str(event.data.get("gate"))
        if event.type == "gate.waiting":
            found[gate] = None
        elif event.type == "gate.answered":
            found.pop(gate, None)
    return list(found)


class Asker(Protocol):
    """Asks a person who is there, such as one at a terminal; others go on meanwhile."""

    async def ask(self, gate: str, about: str) -> Answer:
        """The person's answer to `gate`; `about` says what it is for. Ends when it is cancelled."""
        ...


class Gates:
    """Asks the profile's gates of one run."""

    def __init__(self, services: Services) -> None:
        self._s = services

    async def pass_or_end(self, gate: GateName) -> None:
        """Like `ask`, where a rejection can only end the run (`Ended`, stopped)."""
        answer = await self.ask(gate)
        if not answer.approved:
            said = f"the gate `{gate}` was rejected by {answer.by}: {answer.note}".rstrip(": ")
            raise Ended(Result.STOPPED, said)

    async def ask(self, gate: GateName, wp: str | None = None) -> Answer:
        """The answer to `gate`; approved at once where the profile has no such gate.

        Where nobody has answered, a person at the terminal is asked; without one `Ended(PAUSED)` is
        raised. A rejection is used up by being read, so that the next time the gate asks again.
        """
        if gate not in self._s.profile.gates or self._s.assume_yes:
            return Answer(True)
        name = gate_id(gate, wp)
        answer = answer_of(self._s.place, name)
        if answer is None:
            self._s.journal.write("gate.waiting", wp, gate=name)
            answer = await self._wait(name, wp)
        self._s.journal.write("gate.answered", wp, gate=name, **asdict(answer))
        if not answer.approved:
            (self._s.place.gates / f"{name}.json").unlink(missing_ok=True)
        return answer

    async def _wait(self, name: str, wp: str | None) -> Answer:
        """Whatever comes first: the person at the terminal, or an answer given elsewhere."""
        if self._s.asker is None:
            raise Ended(Result.PAUSED, f"gate {name}: `kitty-run approve {name}`, then run again", gate=name)
        asked = asyncio.create_task(self._s.asker.ask(name, wp or f"mission {self._s.board.mission}"))
        try:
            while not asked.done():
                if (found := answer_of(self._s.place, name)) is not None:
                    return found
                self._s.control.checkpoint()
                await asyncio.wait({asked}, timeout=LOOK)
            give(self._s.place, name, asked.result())
            return asked.result()
        finally:
            asked.cancel()
