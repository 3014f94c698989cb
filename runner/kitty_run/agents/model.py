"""One attempt: what is launched, how it ended, and what that means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal

from kitty_run.profile.limits import LOG_MB, MEGABYTE
from kitty_run.profile.model import FailureClass, RoleName

Ending = Literal["exit", "signal", "timeout", "idle", "stopped", "not_installed"]


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start: complete argv, environment and files; nothing is looked up after this.

    `stdin` is a file (complete before the start) or None for /dev/null. `stdout` and `stderr` are new
    files (mode 0600). `marker` is put into the environment as `KITTY_RUN_ATTEMPT`, so that processes
    which left the group can be found and ended. Times are seconds. Of each output at most `log_limit` bytes
    are kept. `record` is a file that does not exist: how the process ended, if the runner did before it.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: Path | None
    stdout: Path
    stderr: Path
    timeout: float
    idle_timeout: float | None
    kill_grace: float
    marker: str
    log_limit: int = LOG_MB * MEGABYTE
    record: Path | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. `status` is the exit status (None where a signal or the runner ended it).

    `left_out` bytes of its output are in none of the logs, since there were too many.
    """

    ending: Ending
    status: int | None
    signal: int | None
    seconds: float
    stdout: Path
    stderr: Path
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens of one model: `input_tokens` are all that were read, `cached_tokens` those of them that came
    from a cache. None is unknown, never zero; so is the model's name."""

    model: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an agent's process came to: `failure` None is success. `rule` says what decided it.

    `cost_usd` is what the agent itself reports, None where it is unknown, never zero. `models` are those that
    were used, with the tokens of each.
    """

    failure: FailureClass | None
    rule: str
    exit: Exit
    message: str | None = None
    session: str | None = None
    cost_usd: float | None = None
    models: tuple[ModelUsage, ...] = ()
    resets_at: datetime | None = None


def added(models: Iterable[ModelUsage]) -> ModelUsage:
    """All tokens together, without a name; a number is None where it is unknown of one of them, or of all."""
    used = tuple(models)

    def total(number: Callable[[ModelUsage], int | None]) -> int | None:
        found = [number(one) for one in used]
        known = [one for one in found if one is not None]
        return sum(known) if known and len(known) == len(found) else None

    return ModelUsage(
        None,
        total(lambda one: one.input_tokens),
        total(lambda one: one.cached_tokens),
        total(lambda one: one.output_tokens),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reviewer wants changed or remarks on."""

    message: str
    file: str | None = None
    line: int | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """What a reviewer says of one acceptance criterion of the mission, and what that rests on."""

    id: str
    result: Literal["pass", "fail"]
    evidence: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An acceptance criterion that a work package is to meet, as a reviewer is shown it."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A review in writing that fits `schemas/verdict.schema.json`."""

    verdict: Literal["approved", "changes_requested"]
    summary: str
    findings: tuple[Finding, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Slip:
    """Where one reviewer's verdict is expected: a file that only this attempt knows, and the code word that
    the verdict must repeat, which is in this attempt's prompt alone."""

    file: Path
    code: str


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """How a check ended, as a reviewer is shown it; `tail` holds the last lines of its output."""

    name: str
    passed: bool
    ending: Ending
    status: int | None
    tail: str


@dataclass(frozen=True, slots=True)
class CheckResult(CheckSummary):
    """A check's end; `log` holds its whole output."""

    seconds: float
    log: Path


@dataclass(frozen=True, slots=True)
class Started:
    """A started process, as the journal keeps it to find it again: pid, and start time (epoch seconds).

    `process` is what it is known by beside its pid, whatever the clock says; empty: only by its
    start time.
    """

    pid: int
    created: float
    process: str = ""


OnStarted = Callable[[Started], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Denial:
    """A connection that was refused: `unlisted`, or listed but leading to an `address` that is not public."""

    host: str
    port: int
    reason: Literal["unlisted", "address"]


OnDenied = Callable[[Denial], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What holds of one attempt wherever it runs: plain data, no path of any machine.

    `base` is the commit that the work package's own work begins after. `feedback` is the last review's, for
    an implementer; `checks` have passed on what a reviewer is to judge, who says of each of `criteria`
    whether it is met.
    """

    run_id: str
    mission: str
    wp: str
    title: str
    dependencies: tuple[str, ...]
    role: RoleName
    attempt: int
    cycle: int
    base: str
    session: str | None = None
    feedback: str = ""
    checks: tuple[CheckSummary, ...] = ()
    criteria: tuple[Wanted, ...] = ()

    @property
    def name(self) -> str:
        """The attempt's name among those of its work package, which its files are named by."""
        return f"{self.role}-{self.attempt}"

    def located(self, workspace: Path, slip: Slip | None = None) -> AttemptContext:
        """The same attempt where it runs: in `workspace`, with its verdict expected in `slip`."""
        facts = {one.name: getattr(self, one.name) for one in fields(AttemptFacts)}
        return AttemptContext(**facts, workspace=workspace, slip=slip)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptContext(AttemptFacts):
    """Everything about one attempt that prompts and argv may refer to."""

    workspace: Path
    slip: Slip | None = None
