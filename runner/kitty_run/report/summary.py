"""The end of a session: what happened, why not all of it, and what to do, as text and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.session_report import Report, WorkPackageReport
from kitty_run.errors import ExitStatus
from kitty_run.report.formatting import count, duration, indented, one_line, shown, some
from kitty_run.report.next_steps import for_run, for_work_package
from kitty_run.text.clean import clean, shortened

FORMAT = 1
"""Version of the JSON object, in it as `v`."""

_HEADLINES = {
    ExitStatus.OK: "done",
    ExitStatus.PAUSED: "paused",
    ExitStatus.INTERRUPTED: "interrupted",
}
_COLUMN = 12


def as_text(report: Report, base: Path | None = None) -> str:
    """What a person reads at the end; paths as seen from `base` (default: the working directory)."""
    lines = ["", f"mission {report.mission}: {_HEADLINES.get(report.exit_status, 'not finished')}"]
    for wp, one in report.work_packages.items():
        lines += _work_package(wp, one, shown(_logs(report, wp), base))
    lines += [_line(name, text) for name, text in _figures(report, base)]
    return clean("\n".join(lines) + "\n")


def as_json(report: Report) -> dict[str, object]:
    """The object that `--json` prints; `schemas/report.schema.json` describes it."""
    return {
        "v": FORMAT,
        "run_id": report.run_id,
        "mission": report.mission,
        "exit_status": int(report.exit_status),
        "reason": shortened(report.reason),
        "next": for_run(report),
        "work_packages": {
            wp: {
                "result": one.result.value,
                "code": one.code.value,
                "lane": one.lane,
                "reason": shortened(one.reason),
                "next": for_work_package(one),
                "attempts": one.attempts,
                "cycles": one.cycles,
                **one.cost.record(),
                "logs": str(_logs(report, wp)),
                "remark": clean(one.remark),
            }
            for wp, one in report.work_packages.items()
        },
        "accepted": report.accepted,
        "merged": report.merged,
        "target": report.target,
        "calls": report.calls,
        "attempts": report.attempts,
        **report.cost.record(),
        "tokens": report.tokens,
        "unknown_tokens": report.unknown_tokens,
        "seconds": round(report.seconds, 3),
        "limits": [
            {"limit": one.key, "wp": one.wp, "used": round(one.used, 6), "allowed": one.allowed}
            for one in report.limits
        ],
        "left": dict(report.left),
        "restored": list(report.restored),
        "denied": list(report.denied),
        "journal": str(report.journal),
    }


def _logs(report: Report, wp: str) -> Path:
    return report.journal.parent / "logs" / wp


def _work_package(wp: str, one: WorkPackageReport, logs: str) -> Iterator[str]:
    """Its line, and below it, unless it is done, why and what next."""
    rework = f", reworked {count(one.cycles - 1, 'time')}" if one.cycles > 1 else ""
    did = f"{count(one.attempts, 'attempt')}{rework}" if one.attempts else ""
    if one.result is Result.DONE:
        yield f"  {wp:<9} {one.result:<8} {did or one.reason}".rstrip()
        yield from [f"{'':<{_COLUMN}}{'note':<5} {one.remark}"] if one.remark else []
        return
    yield f"  {wp:<9} {one.result:<8} {did}".rstrip()
    reason = (
        one_line(one.reason).removeprefix(f"{wp} ") if one.result is Result.WAITING else shortened(one.reason)
    )
    lines = (
        ("why", reason),
        ("note", one.remark),
        ("next", for_work_package(one)),
        ("logs", logs if one.attempts else ""),
    )
    yield from (f"{'':<{_COLUMN}}{name:<5} {indented(text, _COLUMN + 6)}" for name, text in lines if text)


def _figures(report: Report, base: Path | None) -> Iterator[tuple[str, str]]:
    if report.reason:
        yield "why", shortened(report.reason)
    if report.accepted:
        unmerged = report.exit_status is ExitStatus.INCOMPLETE and not report.merged
        yield "accepted", "by the host, before the failure above" if unmerged else "by the host"
    if report.merged:
        yield "merged", f"{report.merged[:10]} on {report.target}, verified with git"
    if report.restored:
        yield "git", f"changed while agents worked, and put back: {'; '.join(report.restored)}"
    if report.denied:
        yield "network", f"not let through: {some(report.denied)}"
    attempts, calls = count(report.attempts, "attempt"), count(report.calls, "host call")
    yield "took", f"{duration(report.seconds)}, {attempts}, {calls}, cost {report.cost}"
    yield "journal", shown(report.journal, base)
    yield "next", for_run(report)


def _line(name: str, text: str) -> str:
    return f"  {name:<9} {indented(text, _COLUMN)}".rstrip()
