"""Each journal event in one sentence; nothing for those that only the runner needs."""

from __future__ import annotations

from kitty_run.engine.state.end_codes import Result
from kitty_run.engine.state.events import (
    AcceptancePutOff,
    CallEnded,
    CheckEnded,
    ChecksStarted,
    CriterionSettled,
    ErrorUnexpected,
    Event,
    GateAnswered,
    GateWaiting,
    GitRestored,
    LaneMovedByOthers,
    LimitReached,
    MergeConflicted,
    MergeStarted,
    MergeVerified,
    MissionAccepted,
    Notice,
    ReviewDiscarded,
    ReviewOutdated,
    ReworkStarted,
    RunResumed,
    RunStarted,
    StatusCommitted,
    VerdictGiven,
    WorkCommitted,
    WorkDelivered,
    WorkKept,
    WorkLeft,
    WorkReady,
    WorkSaved,
    WorkspaceAllocated,
    WorkspaceAwaited,
    WorkspaceRepaired,
    WpEnded,
    WpMoved,
)
from kitty_run.engine.state.session_report import Reached
from kitty_run.report import attempt_text  # noqa: F401 - registers its sentences
from kitty_run.report.formatting import count, some
from kitty_run.report.sentence import Sentence, Tone, words
from kitty_run.text.commands import command


def sentence(event: Event, *, verbose: bool = False) -> Sentence | None:
    """`event` in words; None where nobody needs to see it, or only with `verbose`."""
    found = words(event)
    return None if found is None or (found.detail and not verbose) else found


@words.register
def _start(event: RunStarted) -> Sentence:
    return Sentence(f"start: {_surroundings(event)}")


@words.register
def _resumption(event: RunResumed) -> Sentence:
    return Sentence(f"continues: {_surroundings(event)}")


def _surroundings(event: RunStarted) -> str:
    return (
        f"mission {event.mission}, {count(len(event.work_packages), 'work package')}, "
        f"topology {event.topology}, on a host of contract {event.contract}"
    )


@words.register
def _call(event: CallEnded) -> Sentence:
    return Sentence(f"host: {event.operation}: {event.code or 'ok'} ({event.seconds} s)", detail=True)


@words.register
def _gate_waiting(event: GateWaiting) -> Sentence:
    answer = command("kitty-run", "approve", event.gate)
    return Sentence("waits", Tone.ASKS, f"gate {event.gate}: `{answer}`, then run again")


@words.register
def _gate_answered(event: GateAnswered) -> Sentence:
    answer = "yes" if event.approved else "no"
    return Sentence(f"gate {event.gate}: {answer} by {event.by}", reason=event.note)


@words.register
def _git_restored(event: GitRestored) -> Sentence:
    kept = f"; what was found is kept in {event.kept}" if event.kept else ""
    reason = f"{'; '.join(event.changed)} (while these were under way: {some(event.during)}){kept}"
    return Sentence("git's settings were changed while agents worked; they are restored", Tone.BAD, reason)


@words.register
def _limit_reached(event: LimitReached) -> Sentence:
    return Sentence("limit reached", Tone.ASKS, str(Reached(event.limit, event.used, event.allowed)))


@words.register
def _notice(event: Notice) -> Sentence:
    return Sentence("note", reason=event.text)


@words.register
def _moved(event: WpMoved) -> Sentence:
    return Sentence(f"now in the lane {event.lane}", detail=True)


@words.register
def _moved_by_others(event: LaneMovedByOthers) -> Sentence:
    then = "; nobody reviewed it, so it is reviewed" if event.approval else ""
    return Sentence(
        f"moved from {event.was} to {event.lane} by others{then}",
        Tone.BAD,
        f"while attempts were at work for {some(event.during)}",
    )


@words.register
def _allocated(event: WorkspaceAllocated) -> Sentence:
    return Sentence(f"workspace {event.path}", detail=True)


@words.register
def _workspace_awaited(event: WorkspaceAwaited) -> Sentence:
    return Sentence(f"waits for {event.holder}, which works in the same workspace")


@words.register
def _repaired(event: WorkspaceRepaired) -> Sentence:
    restored = f"{count(event.restored, 'file')} restored from the commit"
    done = "removed, to be created again" if event.removed else restored
    return Sentence(f"workspace repaired: {done}", Tone.BAD, event.why, str(event.path))


@words.register
def _kept(event: WorkKept) -> Sentence:
    large = f"; what is too large for git was moved to {event.folder}" if event.folder else ""
    text = f"kept under {event.ref}: {event.why}{large}"
    return Sentence(text, reason=some(event.files) if event.files else "")


@words.register
def _saved(event: WorkSaved) -> Sentence | None:
    if not event.commit:
        return None
    return Sentence(f"uncommitted work saved in {_short(event.commit)}", reason=event.why)


@words.register
def _committed(event: WorkCommitted) -> Sentence:
    return Sentence(f"committed {_short(event.commit)}", detail=True)


@words.register
def _delivered(event: WorkDelivered) -> Sentence:
    return Sentence(f"{_short(event.work)} is on {event.target} now ({_short(event.commit)})", detail=True)


@words.register
def _left(event: WorkLeft) -> Sentence | None:
    return Sentence(f"left by {event.agent}: {some(event.files)}", detail=True) if event.files else None


@words.register
def _checks(event: ChecksStarted) -> Sentence:
    return Sentence(f"checks on {_short(event.commit)} start", detail=True)


@words.register
def _check(event: CheckEnded) -> Sentence:
    if event.passed:
        return Sentence(f"check {event.name} passed")
    how = f"exit status {event.status}" if event.ending == "exit" else event.ending
    return Sentence(f"check {event.name} failed: {how}", Tone.BAD, file=str(event.log))


@words.register
def _ready(event: WorkReady) -> Sentence:
    return Sentence(f"ready for review: {_short(event.commit)}", detail=True)


@words.register
def _wp_ended(event: WpEnded) -> Sentence:
    tone = {Result.DONE: Tone.GOOD, Result.PAUSED: Tone.ASKS}.get(event.result, Tone.BAD)
    return Sentence(event.result.value, tone, event.reason)


@words.register
def _unexpected(event: ErrorUnexpected) -> Sentence:
    return Sentence("unexpected error", Tone.BAD, event.error)


@words.register
def _verdict(event: VerdictGiven) -> Sentence:
    remarks = f", {count(len(event.findings), 'finding')}" if event.findings else ""
    if event.verdict == "approved":
        return Sentence(f"{event.agent} approves{remarks}", Tone.GOOD, event.summary)
    return Sentence(f"{event.agent} requests changes{remarks}", Tone.BAD, event.summary)


@words.register
def _discarded(event: ReviewDiscarded) -> Sentence:
    if not event.files:
        return Sentence("the review was interrupted; the reviewer changed no file")
    return Sentence(f"the reviewer changed files; discarded: {some(event.files)}")


@words.register
def _outdated(event: ReviewOutdated) -> Sentence:
    text = f"{_short(event.reviewed)} was reviewed, but {_short(event.commit)} is there now: reviewed again"
    return Sentence(text, Tone.BAD)


@words.register
def _conflicted(event: MergeConflicted) -> Sentence:
    return Sentence(f"conflicts with {event.other}: not merged", Tone.BAD, some(event.files))


@words.register
def _rework(event: ReworkStarted) -> Sentence:
    return Sentence(f"back to the implementer, cycle {event.cycle}")


@words.register
def _settled(event: CriterionSettled) -> Sentence:
    return Sentence(f"acceptance criterion {event.criterion}: {event.result}", reason=event.evidence)


@words.register
def _accepted(_: MissionAccepted) -> Sentence:
    return Sentence("the mission is accepted", Tone.GOOD)


@words.register
def _put_off(event: AcceptancePutOff) -> Sentence:
    text = "the host can't accept this topology before its merge; it is asked again after that"
    return Sentence(text, reason=event.reason, detail=True)


@words.register
def _merge_started(event: MergeStarted) -> Sentence:
    return Sentence(f"merging the work of {count(len(event.heads), 'work package')}")


@words.register
def _merged(event: MergeVerified) -> Sentence:
    return Sentence(
        f"merged, and verified with git: {event.target} is at {_short(event.commit or '?')}", Tone.GOOD
    )


@words.register
def _status_committed(event: StatusCommitted) -> Sentence:
    return Sentence(f"the host's status files are committed: {_short(event.commit)}", detail=True)


def _short(commit: str) -> str:
    return commit[:10]
