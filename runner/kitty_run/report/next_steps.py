"""What a person does next about a run or a work package that is not done."""

from __future__ import annotations

from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.session_report import Report, WorkPackageReport, named
from kitty_run.errors import ExitStatus
from kitty_run.text.commands import command

_WORK_PACKAGE = {
    Result.BLOCKED: "fix the cause",
    Result.STOPPED: "run the same command again",
    Result.PAUSED: "resolve it, then run the same command again",
    Result.FAILED: "look at its logs and at the journal, then run the same command again",
}

_RUN = {
    ExitStatus.PAUSED: "answer the gate, then run the same command again",
    ExitStatus.INTERRUPTED: "run the same command again: it continues from here",
    ExitStatus.HOST: "run `kitty-run doctor` to see what is wrong with the host, then the same command again",
}


def for_work_package(one: WorkPackageReport) -> str:
    """What to do about one work package; empty where nothing is to be done, or only about others."""
    if one.result is Result.BLOCKED and one.unblock:
        return f"fix the cause; {one.unblock}"
    if one.code is EndCode.HELD:
        return "whoever holds it ends it; then run the same command again"
    return _WORK_PACKAGE.get(one.result, "")


def for_run(report: Report) -> str:
    """What to do next about the whole run."""
    if report.exit_status is ExitStatus.OK:
        target = (report.target,) if report.target else ()
        return command("git", "-C", report.repo, "log", "--oneline", *target)
    if report.exit_status is ExitStatus.PAUSED and report.limits:
        return f"raise {named(report.limits)}, then run the same command again: it continues from here"
    return _RUN.get(report.exit_status, "fix the causes above, then run the same command again")
