"""The state machine of a work package as `docs/architecture.md` draws it: mermaid text, from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import get_args

from kitty_run.engine.lifecycle.outcomes import (
    Abort,
    Block,
    Claimed,
    Failed,
    Found,
    Judged,
    MovedByOthers,
    Outdated,
    Refused,
    Rejected,
    Stopped,
)
from kitty_run.engine.lifecycle.state_machine import MOVES, Interruption, Step, StepOutcome, next_step
from kitty_run.engine.shutdown import End
from kitty_run.profile.model import Action

from tests.engine.lifecycle.transitions import Transition, transitions

START = (
    "<!-- Generated from engine/lifecycle/state_machine.py; refresh it with `pytest --snapshot-update`. -->"
)
END = "<!-- End of the state machine. -->"
ANY = "any_step"


def refreshed(page: str) -> str:
    """`page` with what is between the marks written anew; ValueError where a mark is missing."""
    head, found, rest = page.partition(START)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError("the marks of the generated part are missing")
    return f"{head}{START}\n\n```mermaid\n{diagram()}\n```\n\n{END}{tail}"


def diagram() -> str:
    """A mermaid state diagram: the steps' own outcomes, and once for all what can come in between."""
    own = [one for one in transitions() if not _interrupts(one)]
    common = {step: [one for one in transitions() if one.step is step and _interrupts(one)] for step in Step}
    [lines] = {tuple(_lines(found)) for found in common.values() if found}  # the same after every step
    page = [
        "stateDiagram-v2",
        f"    [*] --> {Step.READ_LANE}",
        *_lines(own),
        f"    {ANY} : any step but {Step.READ_LANE}",
        *lines,
        "    block --> [*]",
    ]
    return "\n".join(page)


def _lines(found: Iterable[Transition]) -> Iterator[str]:
    """A line for each pair of states and kind of outcome, with what it depends on in parentheses."""
    edges: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for one in found:
        source = ANY if _interrupts(one) else one.step.value
        target, effect = _target(one)
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(one.outcome).__name__).lower()
        edges.setdefault((source, target, kind, effect), {})[_detail(one)] = None
    for (source, target, kind, effect), details in edges.items():
        listed = ", ".join(filter(None, details))
        yield f"    {source} --> {target} : {kind}{f' ({listed})' if listed else ''}{effect}"


def _interrupts(one: Transition) -> bool:
    return type(one.outcome) in get_args(Interruption)


def _target(one: Transition) -> tuple[str, str]:
    """The state that follows, and what the work package ends with by it."""
    match one.next:
        case Step():
            return (ANY if one.next is one.step and _interrupts(one) else one.next.value), ""
        case Block(code):
            return "block", f" / {code}"
        case End(code):
            return "[*]", "" if isinstance(one.outcome, Stopped) else f" / {code}"
        case Abort():
            return "[*]", " / the run ends"


def _detail(one: Transition) -> str:
    """Which outcome of its type: the values that decide something, and the kind of host where that does."""
    words = [_deciding(one.outcome)]
    if one.next != next_step(one.step, one.outcome, review_claim=not one.review_claim):
        words.append("on hosts with in_review" if one.review_claim else "on hosts without in_review")
    return " ".join(filter(None, words))


def _deciding(outcome: StepOutcome) -> str:  # noqa: PLR0911 - a table
    match outcome:
        case Found(lane):
            return lane.value
        case MovedByOthers(_, claimed):
            return "" if claimed else "not claimed yet"
        case Judged(verdict):
            return verdict or "no verdict yet"
        case Outdated(times):
            return f"up to {MOVES} times" if times <= MOVES else "more often"
        case Claimed(ready):
            return "ready" if ready else ""
        case Failed(action) | Rejected(action):
            return action.value
        case Refused(action, _, holder):
            return "skip, has a holder" if holder and action is Action.SKIP else action.value
    return ""
