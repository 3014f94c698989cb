"""What each journal event tells a person, in one sentence; nothing for those that only the runner needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kitty_run.engine.decisions.budget import Reached
from kitty_run.engine.state.journal import Event
from kitty_run.profile.model import Action
from kitty_run.profile.retry_verbs import verb
from kitty_run.report.formatting import clock, count, duration, money, some

Data = Mapping[str, object]


class Tone(StrEnum):
    """What a sentence is to its reader; terminals show it as a colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    ASKS = "asks"


@dataclass(frozen=True, slots=True)
class Sentence:
    """An event in words; `reason` may be long or have several lines, `file` is where all of it stands."""

    text: str
    tone: Tone = Tone.PLAIN
    reason: str = ""
    file: str = ""


def sentence(event: Event, *, verbose: bool = False) -> Sentence | None:
    """What to tell of `event`; None where a person need not know, or not unless `verbose`."""
    words = TOLD.get(event.type) or (TOLD_VERBOSE.get(event.type) if verbose else None)
    return words(event.data) if words else None


def _surroundings(data: Data) -> str:
    packages = data["work_packages"]
    number = len(packages) if isinstance(packages, Mapping) else 0
    return (
        f"mission {data['mission']}, {count(number, 'work package')}, topology {data['topology']}, "
        f"on a host of contract {data['contract']}"
    )


def _attempt(data: Data) -> str:
    return f"{data['role']} {data['attempt']}: {data['agent']}"


def _attempt_ended(data: Data) -> Sentence:
    seconds, cost = data["seconds"], data["cost_usd"]
    took = duration(float(seconds)) if isinstance(seconds, int | float) else "?"
    spent = f", {money(float(cost))}" if isinstance(cost, int | float) else ", cost unknown"
    if data["failure"] is None:
        return Sentence(f"{_attempt(data)} is done ({took}{spent})")
    kind = "" if data["failure"] == "failed" else f": {data['failure']}"
    text = f"{_attempt(data)} failed{kind} ({took}{spent})"
    return Sentence(text, Tone.BAD, str(data["rule"]), str(data.get("log", "")))


def _check(data: Data) -> Sentence:
    if data["passed"]:
        return Sentence(f"check {data['name']} passed")
    how = f"exit status {data['status']}" if data["ending"] == "exit" else str(data["ending"])
    return Sentence(f"check {data['name']} failed: {how}", Tone.BAD, file=str(data["log"]))


def _verdict(data: Data) -> Sentence:
    findings = data["findings"]
    number = len(findings) if isinstance(findings, list) else 0
    remarks = f", {count(number, 'finding')}" if number else ""
    if data["verdict"] == "approved":
        return Sentence(f"{data['agent']} approves{remarks}", Tone.GOOD, str(data["summary"]))
    return Sentence(f"{data['agent']} requests changes{remarks}", Tone.BAD, str(data["summary"]))


def _retry(data: Data) -> Sentence | None:
    if data["key"] == "changes_requested":
        return None  # the verdict before it and the rework, or the end, after it say it all
    if data["table"] == "agent" and data["action"] == "wait":
        return None  # the family's limit before it and the waiting after it say it
    wait = data["wait"]
    after = f", {duration(float(wait))} from now" if isinstance(wait, int | float) and wait > 0 else ""
    reason = "" if data["key"] == "check_failed" else str(data["reason"])  # the checks' own lines told it
    live = verb(Action(str(data["action"]))).live
    return Sentence(f"{data['key']}: {live.format(wait=after)}", reason=reason)


def _limited(data: Data) -> Sentence:
    text = f"family {data['family']} is limited until {_clock(data['until'])}: no attempt of it starts before"
    return Sentence(text, Tone.BAD, str(data["reason"]))


def _work_left(data: Data) -> Sentence | None:
    files = data["files"]
    return Sentence(f"left by {data['agent']}: {some(files)}") if files else None


def _repaired(data: Data) -> Sentence:
    restored, ref = data["restored"], data["ref"]
    done = (
        "removed, to be made anew"
        if data["removed"]
        else f"{count(int(str(restored)), 'file')} put back as committed"
    )
    kept = f"; what else lay there is kept as {ref}" if ref else ""
    return Sentence(f"workspace repaired: {done}{kept}", Tone.BAD, str(data["why"]), str(data["path"]))


def _wp_ended(data: Data) -> Sentence:
    result = str(data["result"])
    tone = {"done": Tone.GOOD, "paused": Tone.ASKS}.get(result, Tone.BAD)
    return Sentence(result, tone, str(data["reason"]))


def _gate_waiting(data: Data) -> Sentence:
    gate = data["gate"]
    return Sentence("waits", Tone.ASKS, f"gate {gate}: `kitty-run approve {gate}`, then run again")


def _gate_answered(data: Data) -> Sentence:
    answer = "yes" if data["approved"] else "no"
    return Sentence(f"gate {data['gate']}: {answer} by {data['by']}", reason=str(data["note"]))


def _limit_reached(data: Data) -> Sentence:
    used, allowed = float(str(data["used"])), float(str(data["allowed"]))
    return Sentence("limit reached", Tone.ASKS, str(Reached(str(data["limit"]), used, allowed)))


def _merge_started(data: Data) -> Sentence:
    heads = data["heads"]
    number = len(heads) if isinstance(heads, Mapping) else 0
    return Sentence(f"merging the work of {count(number, 'work package')}")


def _put_back(data: Data) -> Sentence:
    text = f"{data['branch']} is put back to its reviewed commit {_short(data['commit'])}"
    return Sentence(f"{text}; what it held is kept under {data['kept']}", Tone.BAD, _lines(data["foreign"]))


def _git_restored(data: Data) -> Sentence:
    during = some(data["during"])
    kept = f"; what was found is kept in {data['kept']}" if data["kept"] else ""
    found = data["changed"]
    changed = "; ".join(map(str, found)) if isinstance(found, list | tuple) else ""
    reason = f"{changed} (while these were under way: {during}){kept}"
    return Sentence("git's settings were changed while agents worked, and are put back", Tone.BAD, reason)


def _lines(items: object) -> str:
    return "not reviewed: " + "; ".join(map(str, items)) if isinstance(items, list | tuple) and items else ""


def _clock(until: object) -> str:
    return clock(datetime.fromisoformat(str(until)))


def _short(commit: object) -> str:
    return str(commit)[:10]


TOLD: Mapping[str, Callable[[Data], Sentence | None]] = {
    "run.started": lambda data: Sentence(f"start: {_surroundings(data)}"),
    "run.resumed": lambda data: Sentence(f"going on: {_surroundings(data)}"),
    "workspace.awaited": lambda data: Sentence(
        f"waits for {data['holder']}, which works in the same workspace"
    ),
    "attempt.started": lambda data: Sentence(f"{_attempt(data)} starts"),
    "attempt.ended": _attempt_ended,
    "attempt.interrupted": lambda data: Sentence(f"{data['role']} {data['attempt']} was interrupted"),
    "check.ended": _check,
    "work.saved": lambda data: (
        Sentence(f"uncommitted work saved in {_short(data['commit'])}", reason=str(data["why"]))
        if data["commit"]
        else None
    ),
    "workspace.repaired": _repaired,
    "verdict.given": _verdict,
    "review.discarded": lambda data: Sentence(
        f"the reviewer changed files; thrown away: {some(data['files'])}"
    ),
    "review.outdated": lambda data: Sentence(
        f"{_short(data['reviewed'])} was reviewed, but {_short(data['commit'])} is there now: reviewed again",
        Tone.BAD,
    ),
    "head.found": lambda data: Sentence(
        f"found in the lane {data['lane']}: its commit {_short(data['commit'])} is taken as reviewed"
    ),
    "branch.put_back": _put_back,
    "rework.started": lambda data: Sentence(f"back to the implementer, cycle {data['cycle']}"),
    "retry.decided": _retry,
    "session.dropped": lambda data: Sentence(
        f"{data['agent']}'s conversation is not taken up again, the next attempt begins a new one",
        reason=str(data["reason"]),
    ),
    "family.limited": _limited,
    "family.awaited": lambda data: Sentence(
        f"waits for family {data['family']} until {_clock(data['until'])}"
    ),
    "gate.waiting": _gate_waiting,
    "gate.answered": _gate_answered,
    "limit.reached": _limit_reached,
    "wp.ended": _wp_ended,
    "mission.accepted": lambda _: Sentence("the mission is accepted", Tone.GOOD),
    "merge.started": _merge_started,
    "merge.verified": lambda data: Sentence(
        f"merged, and verified with git: {data['target']} is at {_short(data['commit'])}", Tone.GOOD
    ),
    "error.unexpected": lambda data: Sentence("unexpected error", Tone.BAD, str(data["error"])),
    "git.restored": _git_restored,
    "notice": lambda data: Sentence("note", reason=str(data["text"])),
}
"""Types told always."""

TOLD_VERBOSE: Mapping[str, Callable[[Data], Sentence | None]] = {
    "call.ended": lambda data: Sentence(
        f"host: {data['operation']}: {data['code'] or 'ok'} ({data['seconds']} s)"
    ),
    "wp.moved": lambda data: Sentence(f"now in the lane {data['lane']}"),
    "work.left": _work_left,
    "work.committed": lambda data: Sentence(f"committed {_short(data['commit'])}"),
    "work.ready": lambda data: Sentence(f"ready for review: {_short(data['commit'])}"),
    "workspace.allocated": lambda data: Sentence(f"workspace {data['path']}"),
    "status.committed": lambda data: Sentence(
        f"the host's status files are committed: {_short(data['commit'])}"
    ),
}
"""Types told to whoever asks for everything."""

UNTOLD = frozenset({"call.started", "attempt.process", "process.ended", "run.ended"})
"""Types that only the runner needs; the end of a run has its own summary."""
