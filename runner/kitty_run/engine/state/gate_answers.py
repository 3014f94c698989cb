"""People's answers to gates, each a file in the run's directory, and whom to ask for one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kitty_run.engine.state.events import Entry, GateAnswered, GateWaiting
from kitty_run.engine.state.private_files import make_directories, read_bytes, write_whole
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.errors import JournalError
from kitty_run.machine import own_file
from kitty_run.profile.model import GateName

LOOK = 1.0
"""Seconds between two looks for an answer that was given elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to a gate; `by` names who gave it, `given` is when (ISO 8601, set by `give`)."""

    approved: bool
    by: str = "kitty-run"
    note: str = ""
    given: str = ""


def gate_id(gate: GateName, wp: str | None = None) -> str:
    """The name that `kitty-run approve` takes: `merge`, or `done-WP01` for a work package's gate."""
    return gate if wp is None else f"{gate}-{wp}"


def answer_of(place: RunPlace, gate: str) -> Answer | None:
    """The answer given to `gate`, None where there is none yet."""
    path = place.gates / f"{gate}.json"
    try:
        data = json.loads(read_bytes(path))
        note, given = str(data.get("note", "")), str(data.get("given", ""))
        return Answer(bool(data["approved"]), str(data["by"]), note, given)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JournalError(f"the answer in {path} can't be read: {error}; give it again") from error


def give(place: RunPlace, gate: str, answer: Answer) -> Path:
    """Write `answer`, given now, so that a waiting or later run finds it whole; raises `MachineFault`."""
    answer = replace(answer, given=datetime.now(UTC).isoformat())
    with own_file(place.gates):
        path = make_directories(place.directory, "gates") / f"{gate}.json"
        write_whole(path, json.dumps(asdict(answer)).encode())
    return path


def forget(place: RunPlace, gate: str) -> None:
    """Remove the answer to `gate`: it was read, or was about something else."""
    (place.gates / f"{gate}.json").unlink(missing_ok=True)


def waiting(entries: Iterable[Entry]) -> list[str]:
    """The gates that a run waits at, by its journal: reached, and not answered since."""
    found: dict[str, None] = {}
    for entry in entries:
        match entry.event:
            case GateWaiting(gate=gate):
                found[gate] = None
            case GateAnswered(gate=gate):
                found.pop(gate, None)
    return list(found)


class Asker(Protocol):
    """Asks a person who is there, such as one at a terminal; others continue meanwhile."""

    async def ask(self, gate: str, about: str) -> Answer:
        """The person's answer to `gate`; `about` says what it is for. Ends when it is cancelled."""
        ...
