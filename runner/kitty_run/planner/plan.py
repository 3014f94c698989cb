"""What a run would do now, as plain data: decided by the same rules as a run, and nothing is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kitty_run.engine.lifecycle.state_machine import Step
from kitty_run.engine.state.usage import Cost
from kitty_run.host.model import Lane
from kitty_run.profile.model import Profile, RoleName


@dataclass(frozen=True, slots=True)
class KeptAxis:
    """How one agent's command line keeps one axis of the policy.

    `args` are arguments, `env` names of variables, `files` names of files. `sandbox` names the runner's
    own sandbox where that keeps it. Without any of them, `unrestricted` says that the value asks for
    nothing.
    """

    axis: str
    value: str
    args: tuple[str, ...]
    env: tuple[str, ...]
    files: tuple[str, ...]
    unrestricted: bool
    sandbox: str | None = None
    trust: str = ""
    """Who holds it: confined, cli or declared (`profile.trust.degree`)."""
    with_others: tuple[str, ...] = ()
    """The axes whose arguments, variables or files depend on this one's value, and so keep it too."""

    @property
    def is_kept(self) -> bool:
        """Whether anything keeps the value."""
        return bool(self.args or self.env or self.files or self.sandbox)


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """One agent in one role: what would be started, with placeholders in angle brackets.

    `resumed` is the command line where an earlier session continues, None where sessions are not resumed.
    """

    name: str
    family: str
    argv: tuple[str, ...]
    stdin: bool
    resumed: tuple[str, ...] | None
    kept: tuple[KeptAxis, ...]
    timeout: float
    idle_timeout: float | None


@dataclass(frozen=True, slots=True)
class WorkPackagePlan:
    """One work package: where the host has it, the step that comes first, and what it waits on now.

    `wave` counts from 1, None where it does not run; `place` is its turn in its wave. `advice` says what
    would let a blocked one run.
    `shares` are those of the same workspace, of which one at a time is worked on.
    """

    id: str
    lane: Lane
    dependencies: tuple[str, ...]
    wave: int | None
    place: int
    step: Step | None
    waits_on: tuple[str, ...]
    advice: str = ""
    shares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissionPlan:
    """The mission as the host shows it now; `run` is the one that would be continued."""

    mission: str
    dialect: str
    contract: str
    topology: str
    work_packages: tuple[WorkPackagePlan, ...]
    finish: tuple[str, ...]
    run: str | None
    attempts: int
    cost: Cost
    """What those attempts cost."""
    problems: tuple[str, ...]
    """What a run would end at, in words for people; empty where nothing is in its way."""
    warnings: tuple[str, ...] = ()
    """What else there is to know before a run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it; `mission` is None where no mission was named."""

    profile: Profile
    roles: Mapping[RoleName, tuple[AgentPlan, ...]]
    mission: MissionPlan | None


def in_order(plan: MissionPlan) -> list[tuple[int, list[WorkPackagePlan]]]:
    """The waves, each with its work packages in the order in which they start."""
    numbers = sorted({one.wave for one in plan.work_packages if one.wave is not None})
    return [
        (number, sorted((one for one in plan.work_packages if one.wave == number), key=lambda one: one.place))
        for number in numbers
    ]
