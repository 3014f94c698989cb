"""Which acceptance criteria are met: by reviewers and checks of the commits that were approved. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.host.criteria import Criterion
from kitty_run.profile.model import Check, Profile


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that a criterion is met, and who said so; "" where nothing does."""

    criterion: Criterion
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a profile takes for evidence: its `checks`, and whether one is enough without a reviewer."""

    checks: Sequence[Check] = ()
    check_is_enough: bool = False

    @classmethod
    def of(cls, profile: Profile) -> Proof:
        """That of `profile`."""
        return cls(profile.roles["implement"].checks, profile.finish.evidence == "check")

    def names(self, criterion: str) -> tuple[str, ...]:
        """The checks that name `criterion`."""
        return tuple(check.name for check in self.checks if criterion in check.criteria)

    def unknown(self, criteria: Sequence[Criterion]) -> tuple[str, ...]:
        """What is named by checks, and is none of `criteria`."""
        known = {one.id for one in criteria}
        named = dict.fromkeys(name for check in self.checks for name in check.criteria)
        return tuple(name for name in named if name not in known)


def weigh(
    criteria: Sequence[Criterion],
    wanted: Mapping[str, Collection[str]],
    memories: Mapping[str, WorkPackageMemory],
    proof: Proof,
) -> tuple[Evidence, ...]:
    """The evidence for each open criterion.

    `wanted` are the criteria that each work package is to meet. There is evidence for a criterion only where
    a reviewer of this run said `pass`, with what shows it, of each work package that is to meet it, on the
    very commit that was approved; or, where that is enough, a check that names the criterion passed on that
    commit and the reviewer said nothing else of it. For one that only a person can judge there never is.
    """
    return tuple(Evidence(one, _text(one, wanted, memories, proof)) for one in criteria if one.open)


def _text(
    criterion: Criterion,
    wanted: Mapping[str, Collection[str]],
    memories: Mapping[str, WorkPackageMemory],
    proof: Proof,
) -> str:
    wps = [wp for wp, ids in wanted.items() if criterion.id in ids]
    said = [_said(criterion.id, wp, memories.get(wp), proof) for wp in wps]
    return "" if criterion.personal or not all(said) else "; ".join(said)


def _said(criterion: str, wp: str, memory: WorkPackageMemory | None, proof: Proof) -> str:
    """What there is for it of the approved commit of `wp`; "" where nothing is, or not any more, enough."""
    if memory is None or (verdict := memory.verdict) is None:
        return ""
    if verdict.verdict != "approved" or verdict.commit != memory.reviewed:
        return ""
    results = [one for one in verdict.criteria or () if one.id == criterion]
    if any(one.result != "pass" for one in results):
        return ""
    reviewed = f"reviewed by {verdict.agent}: {results[-1].evidence}" if results else ""
    passed = [name for name in proof.names(criterion) if _passed(name, memory)]
    if not reviewed and not (passed and proof.check_is_enough):
        return ""
    checked = f"checked by {', '.join(passed)}" if passed else ""
    return f"{wp} at {verdict.commit[:10]}, {', '.join(one for one in (reviewed, checked) if one)}"


def _passed(check: str, memory: WorkPackageMemory) -> bool:
    """Whether `check` succeeded on the approved commit itself."""
    return memory.ready == memory.reviewed and any(one.name == check and one.passed for one in memory.checks)
