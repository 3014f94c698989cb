"""Who reads the journal's events reads types: nobody but the codec knows their names and keys as text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kitty_run
import pytest
from kitty_run.engine.state.events import EVENTS

PACKAGE = Path(kitty_run.__file__).parent
CODEC = PACKAGE / "engine" / "state" / "events"
LINES = {"from_line", "to_line", "TYPE"}
"""What turns events into text and back."""
MAY_READ_LINES = {"engine/state/journal.py", "engine/state/witness.py"}


def texts(source: str) -> Iterator[str]:
    """Names of events, and of what turns them into text, in a module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(name)) if name in EVENTS:
                yield name
            case ast.Attribute(attr=name) | ast.alias(name=name) if name in LINES:
                yield name


def test_no_module_but_the_codec_reads_events_as_text() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): names
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(CODEC) and (names := set(texts(path.read_text(encoding="utf-8"))))
    }
    assert set(found) == MAY_READ_LINES, found
    assert all(names <= LINES for names in found.values()), found


@pytest.mark.parametrize(
    "source",
    [
        'event.type == "attempt.ended"',
        'match event.type:\n    case "run.started" | "run.resumed":\n        pass',
        'FOLDS = {"wp.moved": None}',
        "event.TYPE in known",
        "from kitty_run.engine.state.events.codec import to_line",
    ],
)
def test_reading_an_event_as_text_is_seen(source: str) -> None:
    assert list(texts(source))
