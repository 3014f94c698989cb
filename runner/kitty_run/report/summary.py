"""The end of a session: what happened, and where to look, as text and as one JSON object."""

from __future__ import annotations

from kitty_run.engine.control import Result
from kitty_run.engine.session import Report, WorkPackageReport
from kitty_run.errors import ExitStatus

_HEADLINES = {
    ExitStatus.OK: "done",
    ExitStatus.PAUSED: "paused",
    ExitStatus.INTERRUPTED: "interrupted; the same command goes on",
}
_FINE = frozenset({Result.DONE})


def as_text(report: Report) -> str:
    """What a person reads at the end; every line that asks for something says what to do."""
    lines = ["", f"mission {report.mission}: {_HEADLINES.get(report.exit_status, 'not finished')}"]
    lines += [_work_package(wp, one) for wp, one in report.work_packages.items()]
    if report.reason:
        lines.append(f"  {report.reason}")
    if report.merged:
        lines.append(f"  merged    {report.merged} on {report.target}, verified with git")
    cost = "unknown" if report.cost_usd is None else f"{report.cost_usd:.2f} USD"
    took = f"{_duration(report.seconds)}, {report.attempts} attempts, {report.calls} host calls, cost {cost}"
    lines.append(f"  took      {took}")
    lines.append(f"  journal   {report.journal}")
    lines.append(f"  next      {_next(report)}")
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> dict[str, object]:
    """The object that `--json` prints; `docs/cli.md` describes it."""
    return {
        "run_id": report.run_id,
        "mission": report.mission,
        "exit_status": int(report.exit_status),
        "reason": report.reason,
        "work_packages": {
            wp: {
                "result": one.result.value,
                "reason": one.reason,
                "attempts": one.attempts,
                "cycles": one.cycles,
                "cost_usd": one.cost_usd,
            }
            for wp, one in report.work_packages.items()
        },
        "accepted": report.accepted,
        "merged": report.merged,
        "target": report.target,
        "calls": report.calls,
        "attempts": report.attempts,
        "cost_usd": report.cost_usd,
        "tokens": report.tokens,
        "seconds": round(report.seconds, 3),
        "journal": str(report.journal),
    }


def _work_package(wp: str, one: WorkPackageReport) -> str:
    rework = f", reworked {one.cycles - 1}x" if one.cycles > 1 else ""
    attempts = f"{one.attempts} attempts{rework}" if one.attempts else ""
    reason = one.reason if one.result not in _FINE or not attempts else ""
    return f"  {wp:<9} {one.result:<8} {': '.join(part for part in (attempts, reason) if part)}".rstrip()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _next(report: Report) -> str:
    if report.exit_status is ExitStatus.OK:
        return f"git -C {report.repo} log --oneline {report.target or ''}".rstrip()
    if report.exit_status is ExitStatus.PAUSED:
        return "answer the gate or raise the limit, then run the same command again"
    if report.exit_status is ExitStatus.INTERRUPTED:
        return "run the same command again"
    return "mend what is said above, then run the same command again"
