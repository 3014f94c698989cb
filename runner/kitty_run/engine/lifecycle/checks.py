"""The profile's checks, run on committed work between implementation and review."""

from __future__ import annotations

from dataclasses import asdict

from kitty_run.agents.model import AttemptFacts, CheckResult, Denial
from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.attempts.description import check_spec
from kitty_run.engine.lifecycle.attempts.process_record import recorded, write_denial
from kitty_run.engine.lifecycle.attempts.recovery import AttemptFailure
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.state.events import CheckEnded, CheckRecord
from kitty_run.execution.protocol import Executor
from kitty_run.profile.model import Agent, FailureClass


async def check(
    run: Run, executor: Executor, at: Assignment, attempt: AttemptFacts, agent: Agent
) -> tuple[CheckResult, ...] | AttemptFailure:
    """Run the checks in the workspace, and remove what they leave behind; nothing where there are none.

    They are confined as `agent` was, whose work they run.
    A failure, `check_failed`, has what the implementer must know of those that failed.
    """
    checks = run.profile.roles["implement"].checks
    if not checks:
        return ()
    before = await at.workspace.snapshot()
    spec = check_spec(run, at, before, attempt, agent)

    async def denied(denial: Denial) -> None:
        write_denial(run.journal, attempt.wp, spec.marker, denial)

    try:
        with recorded(run.journal, attempt.wp, spec.marker) as started:
            results = await executor.check(spec, started, denied)
    finally:
        await at.workspace.discard(before, "left by the checks")
    for result in results:
        run.journal.write(CheckEnded(attempt.wp, **asdict(as_record(result))))
    if failing := [result for result in results if not result.passed]:
        return AttemptFailure(FailureClass.CHECK_FAILED, _feedback(failing))
    return results


def as_record(result: CheckResult) -> CheckRecord:
    """A check's result as the journal keeps it."""
    return CheckRecord(
        name=result.name,
        passed=result.passed,
        ending=result.ending,
        status=result.status,
        seconds=round(result.seconds, 3),
        log=result.log,
    )


def _feedback(failing: list[CheckResult]) -> str:
    parts = []
    for result in failing:
        how = f"exit status {result.status}" if result.ending == "exit" else result.ending
        parts.append(f"The check `{result.name}` failed ({how}). The end of its output:\n\n{result.tail}")
    return "\n\n".join(parts)
