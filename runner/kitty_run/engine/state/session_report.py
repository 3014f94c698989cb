"""How a session ended, as views show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.usage import Cost
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import unit_of


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is used up: `used` of `allowed`, in the limit's unit.

    `key` is the limit's name in the profile, such as `limits.cost_usd`; `wp` the work package that it holds
    for, None where that is the run.
    """

    key: str
    used: float
    allowed: float
    wp: str | None = None

    def __str__(self) -> str:
        """`limits.cost_usd: 20.40 of 20.00 USD used`."""
        return f"{self.key}: {unit_of(self.key).part(self.used, self.allowed)} used"


def named(found: Iterable[Reached]) -> str:
    """The keys of the limits, each once."""
    return " and ".join(dict.fromkeys(one.key for one in found))


@dataclass(frozen=True, slots=True)
class WorkPackageReport:
    """How one work package ended; `attempts` and `cost` are those of all sessions."""

    result: Result
    code: EndCode
    reason: str
    attempts: int
    cycles: int
    cost: Cost
    lane: str = ""
    """The lane as the host last reported it."""
    unblock: str = ""
    """What a person does on this host to free the work package, where it is blocked."""
    remark: str = ""
    """What people should know of it though it is done; mostly empty."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a session ended. `reason` is for people, empty when all is well; costs and attempts are the run's,
    earlier sessions of it included; `calls` are host calls, `seconds` this session's. `unknown_tokens` counts
    attempts that did not report all of their tokens. `limits` are those that kept the run from continuing,
    `left` the lanes of the work packages that are not done."""

    run_id: str
    mission: str
    repo: Path
    journal: Path
    exit_status: ExitStatus
    reason: str
    work_packages: Mapping[str, WorkPackageReport]
    accepted: bool
    merged: str | None
    target: str | None
    calls: int
    attempts: int
    cost: Cost
    tokens: int
    unknown_tokens: int
    seconds: float
    limits: tuple[Reached, ...]
    left: Mapping[str, str]
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, which were changed while agents worked."""
    denied: tuple[str, ...] = ()
    """Where agents and checks were not let through to, as HOST:PORT."""
