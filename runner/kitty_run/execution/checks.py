"""The profile's checks, run in a work package's workspace between implementation and review."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from kitty_run.agents.launch.environment import environment
from kitty_run.agents.model import CheckResult, Exit, Launch, OnStarted
from kitty_run.execution.processes import ProcessRunner
from kitty_run.execution.sandbox.for_checks import CheckSandbox
from kitty_run.profile.limits import LOG_MB, MEGABYTE
from kitty_run.profile.model import AgentEnv, Check
from kitty_run.text import logs
from kitty_run.text.characters import plain

PASSED = (
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TERM",
)
"""What checks inherit, beside `PATH`: enough for compilers and test runners. Keys and tokens of the runner's
environment stay out, for a check runs code that an agent has just written."""

KILL_GRACE = 5.0
TAIL_BYTES = 8 * 1024
TAIL_LINES = 80


async def run_checks(  # noqa: PLR0913, PLR0917 - where, with what, and how
    checks: Sequence[Check],
    processes: ProcessRunner,
    sandbox: CheckSandbox,
    workspace: Path,
    logs_dir: Path,
    marker: str,
    on_started: OnStarted,
    own: Mapping[str, str],
    source: Mapping[str, str] = os.environ,
    log_limit: int = LOG_MB * MEGABYTE,
) -> tuple[CheckResult, ...]:
    """Run every check in order, also after one has failed, so that feedback is complete.

    Logs are new files `check-NAME-N.log` in `logs_dir`, both streams in one. `own` is added to the
    environment (the `KITTY_*` variables of the attempt); `marker` is the attempt's. `sandbox` confines those
    checks whose agent is confined. Raises LaunchError.
    """
    env = environment(AgentEnv(PASSED), {}, own, source)
    results = []
    for check in checks:
        log = new_log(logs_dir, "check", check.name)
        ended = await run_command(
            check, processes, sandbox, workspace, log, marker, on_started, env, log_limit
        )
        results.append(ended)
    return tuple(results)


async def run_command(  # noqa: PLR0913, PLR0917 - where, with what, and how
    check: Check,
    processes: ProcessRunner,
    sandbox: CheckSandbox,
    workspace: Path,
    log: Path,
    marker: str,
    on_started: OnStarted,
    env: Mapping[str, str],
    log_limit: int,
) -> CheckResult:
    """Run one check, or what runs as a check does; `env` is its whole environment. Raises LaunchError."""
    async with sandbox.around(check.command, env) as argv:
        launch = Launch(
            argv=argv,
            cwd=workspace,
            env=env,
            stdin=None,
            stdout=log,
            stderr=log,
            timeout=check.timeout,
            idle_timeout=None,
            kill_grace=KILL_GRACE,
            marker=marker,
            log_limit=log_limit,
        )
        ended = await processes.run(launch, on_started)
    return await asyncio.to_thread(_result, check, ended)


def _result(check: Check, ended: Exit) -> CheckResult:
    lines = plain(logs.tail(ended.stdout, TAIL_BYTES)).rstrip().split("\n")
    return CheckResult(
        name=check.name,
        passed=ended.ending == "exit" and ended.status == 0,
        ending=ended.ending,
        status=ended.status,
        seconds=ended.seconds,
        log=ended.stdout,
        tail="\n".join(lines[-TAIL_LINES:]),
    )


def new_log(directory: Path, kind: str, name: str) -> Path:
    """A file `KIND-NAME-N.log` that does not exist yet: a check runs once for every attempt."""
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    number = 1
    while (path := directory / f"{kind}-{stem}-{number}.log").exists():
        number += 1
    return path
