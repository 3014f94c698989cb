"""Which acceptance criteria are met: by what reviewers said of the commits that were approved. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.criteria import Criterion


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that a criterion is met, and who said so; "" where nothing does."""

    criterion: Criterion
    text: str


def weigh(
    criteria: Sequence[Criterion],
    wanted: Mapping[str, Collection[str]],
    memories: Mapping[str, WorkPackageMemory],
) -> tuple[Evidence, ...]:
    """The evidence for each open criterion.

    `wanted` are the criteria that each work package is to meet. There is evidence for a criterion only where
    a reviewer of this run said `pass`, with what shows it, of each work package that is to meet it, on the
    very commit that was approved; and for one that only a person can judge there never is.
    """
    return tuple(Evidence(one, _text(one, wanted, memories)) for one in criteria if one.open)


def _text(
    criterion: Criterion, wanted: Mapping[str, Collection[str]], memories: Mapping[str, WorkPackageMemory]
) -> str:
    wps = [wp for wp, ids in wanted.items() if criterion.id in ids]
    said = [_said(criterion.id, wp, memories.get(wp)) for wp in wps]
    return "" if criterion.personal or not all(said) else "; ".join(said)


def _said(criterion: str, wp: str, memory: WorkPackageMemory | None) -> str:
    """What the reviewer of `wp` said for it; "" where that is not, or not any more, `pass`."""
    if memory is None or (verdict := memory.verdict) is None:
        return ""
    if verdict.verdict != "approved" or verdict.commit != memory.reviewed:
        return ""
    results = [one for one in verdict.criteria or () if one.id == criterion]
    if not results or any(one.result != "pass" for one in results):
        return ""
    return f"{wp} at {verdict.commit[:10]}, reviewed by {verdict.agent}: {results[-1].evidence}"
