"""A run's status as text, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from kitty_run.host.model import Lane
from kitty_run.report.formatting import (
    clock,
    count,
    duration,
    indented,
    one_line,
    shown,
    some,
    tokens,
    trusted,
)
from kitty_run.report.liveness import Life
from kitty_run.report.status import RunStatus, WorkPackageStatus
from kitty_run.text.clean import clean, shortened
from kitty_run.text.commands import command

FORMAT = 1
"""Version of the JSON object, in it as `v`."""

_COLUMN = 10
_HEADLINES = {0: "done", 4: "paused", 130: "interrupted"}


def as_text(run: RunStatus, life: Life, place: Path, now: datetime, base: Path | None = None) -> str:
    """What a person sees of the run in the directory `place`; `now` measures what is under way.

    Paths are shown as seen from `base` (default: the working directory).
    """
    lines = [_line("run", f"{run.run_id}, {headline(run, life, now)}"), _line("mission", _mission(run))]
    width = max((len(wp) for wp in run.work_packages), default=4)
    lines += [_row(wp, one, width, life, now) for wp, one in run.work_packages.items()]
    lines += [_line("limited", text) for text in _limits(run, life, now)]
    lines += [_line(name, text) for name, text in _foot(run, life, place, base)]
    return clean("\n".join(lines) + "\n")


def as_json(run: RunStatus, life: Life, place: Path, lock: Mapping[str, object] | None) -> dict[str, object]:
    """The object that `--json` prints; times are ISO 8601."""
    head = {"v": FORMAT, "state": life.value, "directory": str(place), "lock": lock}
    packages = {wp: _encoded(one) for wp, one in run.work_packages.items()}
    return {**head, **_encoded(run), "work_packages": packages}


def _encoded(status: RunStatus | WorkPackageStatus) -> dict[str, object]:
    record = _with_times(asdict(status)) | status.cost.record()
    del record["cost"]
    return record


def lock_line(lock: Mapping[str, object]) -> str:
    """Who holds the repository's lock."""
    who = f"process {lock['pid']} on {lock.get('machine')} since {lock['since']}"
    if lock["alive"] is None:
        return _line("lock", f"{who}; it can't be seen from here") + "\n"
    return (
        _line("lock", f"{who}; {'it is running' if lock['alive'] else 'it is gone, so the lock is free'}")
        + "\n"
    )


def _with_times(value: dict[str, object]) -> dict[str, object]:
    return {key: _plain(entry) for key, entry in value.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return _with_times(value)
    if isinstance(value, str):
        return clean(value)
    return list(value) if isinstance(value, tuple) else value


def _line(name: str, text: str) -> str:
    return f"{name:<{_COLUMN}}{indented(text, _COLUMN)}".rstrip()


def headline(run: RunStatus, life: Life, now: datetime) -> str:
    """How the run is, in a few words."""
    process = f"process {run.pid} on {run.machine}"
    if life is Life.ENDED:
        how = _HEADLINES.get(run.exit_status or 0, "not finished")
        return f"{how} (exit status {run.exit_status}) after {duration(run.seconds)}"
    if life is Life.DIED:
        at = f"{run.latest:%Y-%m-%d %H:%M:%S} UTC" if run.latest else "an unknown time"
        return f"died: {process} is gone; its last event was at {at}"
    took = duration((now - run.began).total_seconds()) if run.began else "some time"
    if life is Life.ELSEWHERE:
        return f"not ended: {process} started {took} ago, and can't be seen from this machine"
    return f"working for {took}: {process}"


def _mission(run: RunStatus) -> str:
    done = sum(one.lane is Lane.DONE for one in run.work_packages.values())
    return f"{run.mission}, {done} of {count(len(run.work_packages), 'work package')} done; {run.profile}"


def _row(wp: str, one: WorkPackageStatus, width: int, life: Life, now: datetime) -> str:
    rework = f", cycle {one.cycle}" if one.cycle > 1 else ""
    attempts = f"{count(one.attempts, 'attempt')}{rework}" if one.attempts else ""
    what = "; ".join(part for part in (_doing(one, life, now), attempts) if part)
    return f"  {wp:<{width}}  {one.lane:<11}  {what}".rstrip()


def _doing(one: WorkPackageStatus, life: Life, now: datetime) -> str:
    if one.result:
        return f"{one.result}: {one_line(one.reason, 120)}" if one.reason else one.result
    if not one.doing:
        return f"after {', '.join(one.dependencies)}" if one.lane is Lane.PLANNED and one.dependencies else ""
    agent = f" by {one.agent}" if one.doing.startswith(("implement", "review")) else ""
    if life is not Life.WORKING or one.since is None:
        return f"{one.doing}{agent}, when the run ended" if life is not Life.WORKING else one.doing
    if one.until is not None and one.until > now:
        return f"{one.doing}, continues in {duration((one.until - now).total_seconds())}"
    return f"{one.doing}{agent} for {duration(max((now - one.since).total_seconds(), 0.0))}"


def _limits(run: RunStatus, life: Life, now: datetime) -> Iterator[str]:
    """Each family that is limited now, and who waits for it."""
    for family, limits in run.limited.items():
        failure, until = max(limits.items(), key=lambda limit: limit[1])
        if until > now:
            waiting = [wp for wp, one in run.work_packages.items() if one.awaits == family]
            verb = "wait" if len(waiting) > 1 else "waits"
            names = f"; {', '.join(waiting)} {verb} for it" if waiting and life is Life.WORKING else ""
            yield f"family {family} until {clock(until)} ({failure}){names}"


def _trust(run: RunStatus) -> Iterator[str]:
    if run.trust:
        yield "; ".join(f"{agent}: {trusted(degrees)}" for agent, degrees in run.trust.items())


def _foot(run: RunStatus, life: Life, place: Path, base: Path | None) -> Iterator[tuple[str, str]]:
    if run.reason:
        yield "why", shortened(run.reason)
    if run.limits and life is Life.WORKING:
        yield "limit", f"{' and '.join(run.limits)} reached: nothing new starts, running attempts finish"
    if run.doing and life is Life.WORKING:
        yield "now", f"{run.doing} of the mission"
    if run.merged:
        yield "merged", f"{run.merged[:10]} on {run.target}, verified with git"
    if run.restored:
        yield "git", f"changed while agents worked, and put back: {'; '.join(run.restored)}"
    if run.denied:
        yield "network", f"not let through: {some(run.denied)}"
    yield from (("trust", text) for text in _trust(run))
    for gate in run.gates:
        answered = (place / "gates" / f"{gate}.json").exists()
        ask = f"waits: `{command('kitty-run', 'approve', gate)}` or `{command('kitty-run', 'reject', gate)}`"
        yield "gate", f"{gate} {'is answered; the next run reads it' if answered else ask}"
    used = tokens(run.tokens, run.unknown_tokens)
    yield "used", f"{count(run.calls, 'host call')}, {used}, cost {run.cost}"
    yield "logs", shown(place / "logs", base)
    yield "journal", shown(place / "events.jsonl", base)
    if next_ := _next(run, life):
        yield "next", next_


def _next(run: RunStatus, life: Life) -> str:
    again = command("kitty-run", run.profile, "--mission", run.mission)
    if life is Life.DIED:
        return f"`{again}` continues from there; nothing is lost"
    if life is Life.ENDED and run.exit_status != 0:
        blocked = any(one.lane is Lane.BLOCKED for one in run.work_packages.values())
        todo = [
            "answer the gate" if run.gates else "",
            f"raise {' and '.join(run.limits)}" if run.limits else "",
            "unblock the work packages" if blocked and not run.gates else "",
        ]
        first = ", ".join(part for part in todo if part)
        return f"{first}, then `{again}` continues" if first else f"`{again}` continues"
    return ""
