"""What follows when every work package is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Merge:
    """How the finished mission is merged; `target` None leaves the choice to the host."""

    target: str | None = None
    strategy: Literal["merge", "squash", "rebase"] = "merge"
    push: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """What follows when every work package is done; `merge` None: no merge.

    `acceptance` says whose word is enough for a host's acceptance criteria: a review's, or a person's who has
    seen what the reviews say. `evidence` says what is needed of each criterion: a `review`, beside which the
    checks that name the criterion are listed, or that or such a `check`.
    """

    accept: bool = True
    merge: Merge | None = Merge()
    acceptance: Literal["review", "person"] = "review"
    evidence: Literal["review", "check"] = "review"
