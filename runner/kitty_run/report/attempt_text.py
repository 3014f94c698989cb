"""Events of attempts, agents, agent families and branches, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptStarted,
    BranchMovedBack,
    BranchPutBack,
    BranchSeen,
    EgressDenied,
    FamilyAwaited,
    FamilyLimited,
    HeadFound,
    MergeQuestioned,
    RetryDecided,
    SessionDropped,
    SetupEnded,
    SetupStarted,
    WorkspacePrepared,
)
from kitty_run.profile.limits import MEGABYTE
from kitty_run.profile.model import Action, FailureClass
from kitty_run.profile.retry_verbs import verb
from kitty_run.report.formatting import clock, count, duration, money, some
from kitty_run.report.sentence import Sentence, Tone, words


@words.register
def _attempt_started(event: AttemptStarted) -> Sentence:
    return Sentence(f"{_attempt(event)} starts")


@words.register
def _egress_denied(event: EgressDenied) -> Sentence:
    who = event.marker.rpartition("/")[2]
    place = f"{event.host}:{event.port}"
    if event.reason == "address":
        reason = (
            "it is listed, but leads to an address that is not public: list that address, too, if it is right"
        )
    else:
        reason = "it is not listed: add it to `network.allow` if it is needed"
    return Sentence(f"{who} was not let through to {place}", Tone.BAD, reason)


@words.register
def _attempt_ended(event: AttemptEnded) -> Sentence:
    spent = "cost unknown" if event.cost_usd is None else money(event.cost_usd, event.cost_source)
    took = f"({duration(event.seconds)}, {spent}{_left_out(event)})"
    if event.failure is None:
        return Sentence(f"{_attempt(event)} is done {took}")
    kind = "" if event.failure is FailureClass.FAILED else f": {event.failure}"
    return Sentence(f"{_attempt(event)} failed{kind} {took}", Tone.BAD, event.rule, str(event.log))


def _left_out(event: AttemptEnded) -> str:
    if event.left_out is None:
        return ""
    return f", {event.left_out / MEGABYTE:.1f} MB of its output left out of the log"


@words.register
def _interrupted(event: AttemptInterrupted) -> Sentence:
    return Sentence(f"{event.role} {event.attempt} was interrupted")


def _attempt(event: AttemptStarted | AttemptEnded) -> str:
    return f"{event.role} {event.attempt}: {event.agent}"


@words.register
def _setup_started(event: SetupStarted) -> Sentence:
    return Sentence(f"{event.phase} {event.name} starts")


@words.register
def _setup_ended(event: SetupEnded) -> Sentence:
    took = f"({duration(event.seconds)})"
    if event.passed:
        return Sentence(f"{event.phase} {event.name} is done {took}")
    how = f"exit status {event.status}" if event.ending == "exit" else event.ending
    return Sentence(f"{event.phase} {event.name} failed: {how} {took}", Tone.BAD, file=str(event.log))


@words.register
def _prepared(event: WorkspacePrepared) -> Sentence:
    said = []
    if event.copied:
        said.append(f"copied: {some(event.copied)}")
    if event.put_back:
        said.append(f"changed by the setup, and put back: {some(event.put_back)}")
    if event.left:
        said.append(f"git is not to see {some(tuple(event.left))}: list it in .gitignore")
    what = "workspace prepared" if event.passed else f"workspace not prepared for {event.role}"
    tone = Tone.PLAIN if event.passed else Tone.BAD
    return Sentence(what, tone, "; ".join(said), detail=event.passed and not (event.put_back or event.left))


@words.register
def _dropped(event: SessionDropped) -> Sentence:
    text = f"{event.agent}'s session is not resumed; the next attempt starts a new one"
    return Sentence(text, reason=event.reason)


@words.register
def _retry(event: RetryDecided) -> Sentence | None:
    if event.key == "changes_requested":
        return None  # the verdict before it and the rework, or the end, after it say it all
    if event.table == "agent" and event.action is Action.WAIT:
        return None  # the family's limit before it and the waiting after it say it
    after = f", {duration(event.wait)} from now" if event.wait > 0 else ""
    reason = "" if event.key == "check_failed" else event.reason  # the checks' own lines say it
    return Sentence(f"{event.key}: {verb(event.action).live.format(wait=after)}", reason=reason)


@words.register
def _limited(event: FamilyLimited) -> Sentence:
    text = f"family {event.family} is limited until {clock(event.until)}"
    return Sentence(text, Tone.BAD, event.reason)


@words.register
def _family_awaited(event: FamilyAwaited) -> Sentence:
    return Sentence(f"waits for family {event.family} until {clock(event.until)}")


@words.register
def _head_found(event: HeadFound) -> Sentence:
    by = f", where {event.by} moved it" if event.by else ""
    commit = _short(event.commit)
    return Sentence(f"found in the lane {event.lane}{by}: its commit {commit} is taken as reviewed")


@words.register
def _put_back(event: BranchPutBack) -> Sentence:
    text = f"{event.branch} is reset to its reviewed commit {_short(event.commit)}"
    return Sentence(text, Tone.BAD, _lines(event.foreign))


@words.register
def _seen(event: BranchSeen) -> Sentence:
    return Sentence(f"{event.branch} is at {_short(event.commit)}", detail=True)


@words.register
def _moved_back(event: BranchMovedBack) -> Sentence:
    now = _short(event.now) if event.now else "nothing"
    kept = f", kept under {event.kept}" if event.kept else ""
    lacks = f"it lacks {count(event.count, 'commit')} that it had{kept}"
    text = f"{event.branch} was moved back from {_short(event.was)} to {now}; {lacks}"
    return Sentence(text, Tone.BAD, some(event.missing))


@words.register
def _questioned(event: MergeQuestioned) -> Sentence:
    return Sentence(
        f"people are asked about {event.about} of the merge ({_short(event.commit)})", detail=True
    )


def _lines(items: Iterable[str]) -> str:
    return f"not reviewed: {'; '.join(items)}" if items else ""


def _short(commit: str) -> str:
    return commit[:10]
