"""Every transition of the state machine, found by asking it of every step and every outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from itertools import product
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from kitty_run.engine.lifecycle.state_machine import MOVES, Next, Step, StepOutcome, next_step, outcomes
from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode

STOPPED = End(EndCode.INTERRUPTED, "interrupted")


@dataclass(frozen=True)
class Transition:
    """What follows one outcome of one step; `review_claim` as in `next_step`."""

    step: Step
    outcome: StepOutcome
    review_claim: bool
    next: Next


def all_outcomes() -> list[StepOutcome]:
    """At least one of each type, and of those that decide something by a field one for each value."""
    return [one for kind in get_args(StepOutcome) for one in variants(kind)]


def variants(kind: type[StepOutcome]) -> Iterator[StepOutcome]:
    """The outcomes of one type."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for values in product(*(_values(name, hints[name]) for name in names)):
        yield kind(**dict(zip(names, values, strict=True)))


def _values(name: str, hint: Any) -> Sequence[Any]:
    if get_origin(hint) is Union or type(None) in get_args(hint):
        return [value for one in get_args(hint) for value in _values(name, one)]
    if get_origin(hint) is Literal:
        return get_args(hint)
    if hint is type(None):
        return [None]
    if hint is bool:
        return [False, True]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)
    known: dict[Any, list[Any]] = {int: [1, MOVES, MOVES + 1], End: [STOPPED], str: ["words"]}
    return ["", "bo"] if name == "holder" else known[hint]


def transitions() -> list[Transition]:
    """All of them, in the order of steps and outcomes."""
    return [
        Transition(step, outcome, claim, next_step(step, outcome, review_claim=claim))
        for step in Step
        for kind in outcomes(step)
        for outcome in variants(kind)
        for claim in (True, False)
    ]
