"""The resolved profile as frozen dataclasses; field for field the keys of `schemas/profile.schema.json`.

Durations are seconds (float). A field documented as *template* is Jinja2 text that has been checked
against the names a run defines, and is rendered by `kitty_run.profile.template`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from kitty_run.profile.finish import Finish
from kitty_run.profile.limits import Limits, Resources
from kitty_run.profile.output import Output
from kitty_run.profile.prices import Price
from kitty_run.profile.review_diff import ReviewDiff
from kitty_run.profile.validation.network import AgentNetwork, Network
from kitty_run.profile.workspace import WorkspaceConfig

RoleName = Literal["implement", "review"]
PromptMode = Literal["stdin", "argument", "file"]
ExecutorKind = Literal["local"]
GateName = Literal["start", "done", "accept", "merge"]


class Action(StrEnum):
    """What a retry row does; `docs/profile.md` describes each."""

    RETRY = "retry"
    WAIT = "wait"
    REFRESH = "refresh"
    FALLBACK = "fallback"
    REWORK = "rework"
    SKIP = "skip"
    PAUSE = "pause"
    BLOCK = "block"
    ABORT = "abort"


class FailureClass(StrEnum):
    """What an attempt failed of; the keys of the table `retry.agent` (with `default`)."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    AUTH = "auth"
    NETWORK = "network"
    CONTEXT_LIMIT = "context_limit"
    TIMEOUT = "timeout"
    IDLE = "idle"
    CRASHED = "crashed"
    NOT_INSTALLED = "not_installed"
    NO_CHANGES = "no_changes"
    NO_VERDICT = "no_verdict"
    CHECK_FAILED = "check_failed"
    FORBIDDEN_CHANGE = "forbidden_change"
    WORKSPACE_LOST = "workspace_lost"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before repeat n (from 0): `min(initial * factor**n, max)`, spread by +-`jitter` (a share)."""

    initial: float = 0.0
    factor: float = 2.0
    max: float | None = None
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class RetryRow:
    """One row of a retry table; `attempts` counts repeats, not the first try; `then` follows the last."""

    do: Action
    attempts: int = 1
    backoff: Backoff = Backoff()
    then: Action = Action.BLOCK


@dataclass(frozen=True, slots=True)
class RetryTables:
    """Rows by the host's `error_code`, by failure class, and by review outcome; each has a `default`
    but `review`, whose two keys are `changes_requested` and `no_verdict`."""

    host: Mapping[str, RetryRow]
    agent: Mapping[str, RetryRow]
    review: Mapping[str, RetryRow]


@dataclass(frozen=True, slots=True)
class FastFailures:
    """What follows failures less than `within` seconds after the start of an attempt.

    Before the agent's next attempt lies at least `backoff`'s wait, by the fast failures of its family in a
    row; from `opens` of them on, no attempt of the family starts before that.
    """

    within: float
    backoff: Backoff
    opens: int


@dataclass(frozen=True, slots=True)
class HostConfig:
    """How spec-kitty is called."""

    command: tuple[str, ...] = ("spec-kitty",)
    dialect: str = "auto"
    contract: str = ">=1.0,<2"
    actor: str = "kitty-run"
    start: Literal["warm", "cold"] = "warm"
    timeout: float = 120.0
    history: Literal["none", "brief"] = "brief"
    poll: float = 60.0
    untested: bool = False
    origin_check: Literal["enforce", "warn", "off"] | None = None


@dataclass(frozen=True, slots=True)
class ExecutorConfig:
    """Where attempts and checks run."""

    kind: ExecutorKind = "local"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy declared to the host; `agent_family` None means: the family of the agent that runs.

    `axes` has the value of each of the axes (`profile.policy_axes`), such as `network_mode`.
    """

    orchestrator_id: str
    orchestrator_version: str
    agent_family: str | None
    axes: Mapping[str, str]
    dangerous_flags: tuple[str, ...] = ()
    tool_restrictions: str | None = None

    def payload(self, family: str) -> dict[str, object]:
        """The `--policy` JSON for a call on behalf of an agent of `family`, with exactly its keys."""
        fields: dict[str, object] = {
            "orchestrator_id": self.orchestrator_id,
            "orchestrator_version": self.orchestrator_version,
            "agent_family": self.agent_family or family,
            **self.axes,
            "dangerous_flags": list(self.dangerous_flags),
        }
        if self.tool_restrictions is not None:
            fields["tool_restrictions"] = self.tool_restrictions
        return fields


@dataclass(frozen=True, slots=True)
class Extra:
    """Arguments, environment and files that an `enforce` value or a role adds to an agent's launch.

    `args` and the values of `env` and `files` are templates; `{{ files.NAME }}` is a written file's path.
    `runner`: the agent's command line can't keep this value itself, the runner's sandbox does.
    """

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    runner: bool = False


@dataclass(frozen=True, slots=True)
class AgentEnv:
    """`passed` names are copied from the runner's environment, `set` is added; nothing else is inherited."""

    passed: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Matches when every condition given holds: exit status listed, pattern found in stdout or stderr.

    The pattern's named group `resets_at` says when a limit ends. Without a class, the text that the pattern
    finds must name one (`results.failure_texts`).
    """

    failure: FailureClass | None
    exit_codes: tuple[int, ...] = ()
    match: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent's command line and how its results are read."""

    name: str
    family: str
    command: tuple[str, ...]
    enforce: Mapping[str, Mapping[str, Extra]] = field(default_factory=dict)
    roles: Mapping[RoleName, Extra] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    prompt: PromptMode = "stdin"
    env: AgentEnv = AgentEnv()
    timeout: float = 3600.0
    idle_timeout: float | None = 1200.0
    kill_grace: float = 5.0
    output: Output = field(default_factory=Output)
    resume: tuple[str, ...] | None = None
    """Templates that take the place of `args` where a session is known; None: sessions are not resumed."""
    success: str | None = None
    """A pattern that must be found in stdout or stderr beside exit status 0."""
    failures: tuple[FailureRule, ...] = ()
    sandbox: Literal["none", "bubblewrap"] = "none"
    home: tuple[str, ...] = ()
    """`sandbox` keeps what `enforce` leaves to the runner; of `home`, these paths are in it, and writable."""
    network: AgentNetwork = field(default_factory=AgentNetwork)
    resources: Resources = field(default_factory=Resources)


@dataclass(frozen=True, slots=True)
class Check:
    """A command the runner runs in the workspace between implementation and review.

    `criteria` are the ids of the acceptance criteria that its success is evidence for.
    """

    name: str
    command: tuple[str, ...]
    timeout: float = 600.0
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """Who takes a role: `agents` in order of preference; `prompt` is a template, None the default."""

    name: RoleName
    agents: tuple[str, ...]
    prompt: str | None = None
    checks: tuple[Check, ...] = ()
    independent: bool = False
    diff: ReviewDiff = field(default_factory=ReviewDiff)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How much runs at once; a role or an agent that is not named has no limit of its own."""

    work_packages: int = 4
    roles: Mapping[RoleName, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile, resolved, validated and ready to run."""

    path: Path
    name: str
    description: str
    mission: str | None
    host: HostConfig
    policy: Policy
    agents: Mapping[str, Agent]
    roles: Mapping[RoleName, Role]
    concurrency: Concurrency
    retry: RetryTables
    gates: tuple[GateName, ...]
    limits: Limits
    finish: Finish
    commit_message: str
    """Template of the message of the runner's own commits."""
    digest: str
    """SHA-256 (hex) of the resolved document: two profiles with one digest run alike."""
    executor: ExecutorConfig = ExecutorConfig()
    workspace: WorkspaceConfig = field(default_factory=WorkspaceConfig)
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Of models, in place of the shipped ones."""
    fast_failures: FastFailures | None = None
    network: Network = field(default_factory=Network)
    assurance: str | Mapping[str, str] = "declared"
    trust: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The degree of trust, by agent that a role uses and by axis."""
