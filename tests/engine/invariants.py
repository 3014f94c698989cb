"""What holds for every run: checked at each event, and on the journal at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from kitty_run.engine.session import Report
from kitty_run.engine.shutdown import EndCode
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptStarted,
    ErrorUnexpected,
    Event,
    FamilyLimited,
    MergeVerified,
    RunStarted,
    VerdictGiven,
    WorkCommitted,
)
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.limits import Allowance

from tests.engine.course import Course

DAY = 86400.0
TICK = 0.002
"""Seconds that the clock of the time limit may be late."""
GOOD = {EndCode.COMPLETED, EndCode.DONE_BEFORE}


class Watch:
    """Looks at a course while it happens; `problems` is what it found."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._approved: set[str] = set()
        self._merged = False
        self._worked: set[str] = set()

    def __call__(self, course: Course, event: Event) -> None:
        match event:
            case AttemptStarted() as started:
                self.problems += two_writers(course, started, self._worked)
                self._worked.add(started.wp)
                self.problems += beyond_concurrency(course, started)
            case VerdictGiven(verdict="approved") as verdict:
                self._approved.add(verdict.commit)
        if course.simulation.host.held.merged and not self._merged:
            self._merged = True
            self.problems += unreviewed(course, self._approved)


def two_writers(course: Course, started: AttemptStarted, worked: set[str]) -> Iterator[str]:
    """Attempts that are at work in the workspace in which one starts, and work that waits for a review."""
    simulation = course.simulation
    name = simulation.workspace_name(started.wp)
    lanes = simulation.lanes()
    others = {one.wp for one in simulation.processes.running if simulation.workspace_name(one.wp) == name}
    in_review = {
        wp
        for wp, lane in lanes.items()
        if wp in worked - course.touched - {started.wp}
        and simulation.workspace_name(wp) == name
        and lane in {Lane.FOR_REVIEW, Lane.IN_REVIEW, Lane.BLOCKED}
    }
    for wp in others | in_review:
        yield f"{started.wp} starts in the workspace in which {wp} is at work ({lanes[wp]})"


def beyond_concurrency(course: Course, started: AttemptStarted) -> Iterator[str]:
    """Limits of attempts at once that are exceeded when one starts."""
    running, limits = course.simulation.processes.running, course.scenario.profile.concurrency
    roles = Counter([started.role, *(one.role for one in running)])
    agents = Counter([started.agent, *(one.agent for one in running)])
    if len(running) >= limits.work_packages:
        yield f"{len(running) + 1} attempts at once of {limits.work_packages}"
    for name, most in limits.roles.items():
        if roles[name] > most:
            yield f"{roles[name]} attempts of {name} at once"
    for name, most in limits.agents.items():
        if agents[name] > most:
            yield f"{agents[name]} attempts of {name} at once"


def unreviewed(course: Course, approved: set[str]) -> Iterator[str]:
    """Workspaces that are merged with what nobody approved; what others moved past a review is theirs."""
    simulation = course.simulation
    for wp, lane in simulation.lanes().items():
        content = simulation.workspace_of(wp)
        if lane is Lane.CANCELED or wp in course.moved:
            continue
        if content.head not in approved:
            yield f"{wp}: {content.head} is merged, and was not approved"
        if not content.clean:
            yield f"{wp} is merged with uncommitted changes"


def problems(course: Course, watch: Watch) -> list[str]:
    """All that is not as it must be, after the whole course."""
    return [
        *watch.problems,
        *(problem for report in course.reports for problem in ends(course, report)),
        *unexpected(course),
        *limited_starts(course),
        *beyond_limits(course),
        *repeated(course),
        *lost_work(course),
    ]


def ends(course: Course, report: Report) -> Iterator[str]:
    """An end without a cause, after too long, or as done when it is not."""
    if report.seconds > 20 * DAY:
        yield f"a session took {report.seconds} s"
    if set(report.work_packages) != set(course.scenario.dependencies):
        yield "a work package has no end"
    whys = {wp: one.reason or report.reason for wp, one in report.work_packages.items()}
    for wp, one in report.work_packages.items():
        if one.code not in GOOD and not whys[wp]:
            yield f"{wp} ended as {one.code} without a reason"
    if report.exit_status is not ExitStatus.OK and not report.reason and not any(whys.values()):
        yield f"ended with {report.exit_status!r} and no cause"
    if report.exit_status is ExitStatus.OK and not report.merged:
        yield "ended well, unmerged"


def unexpected(course: Course) -> Iterator[str]:
    """Errors of the runner itself, and merges that are verified though none was made."""
    for entry in course.journal:
        match entry.event:
            case ErrorUnexpected() as error:
                yield f"{error.error}\n{error.traceback}"
            case MergeVerified() if not course.simulation.host.held.merged:
                yield "verified a merge that was not made"


def limited_starts(course: Course) -> Iterator[str]:
    """Attempts that started while the journal said that their family is limited."""
    until: dict[str, datetime] = {}
    for entry in course.journal:
        match entry.event:
            case FamilyLimited() as limit:
                until[limit.family] = max(limit.until, until.get(limit.family, limit.until))
            case AttemptStarted() as one if entry.at < until.get(one.family, entry.at):
                yield f"{one.wp}: {one.agent} starts though its family is limited until {until[one.family]}"


def beyond_limits(course: Course) -> Iterator[str]:
    """Attempts that started when the run or their work package had used up a limit."""
    limits = course.scenario.profile.limits
    run, own = Used(), {wp: Used() for wp in course.scenario.dependencies}
    for entry in course.journal[: course.events_until_healed]:
        match entry.event:
            case RunStarted():
                run.begin(entry.at)
            case AttemptStarted() as one:
                yield from run.start("the run", limits)
                yield from own[one.wp].start(one.wp, limits.work_package)
                if limits.wall_clock is not None and run.seconds(entry.at) > limits.wall_clock + TICK:
                    yield f"an attempt starts after {run.seconds(entry.at)} of {limits.wall_clock} s"
            case AttemptEnded() as end:
                run.end(end)
                own[end.wp].end(end)
        run.last = entry.at


class Used:
    """What was used so far, counted anew from the journal."""

    def __init__(self) -> None:
        self._attempts, self._cost, self._tokens = 0, 0.0, 0
        self._before = 0.0
        self._began: datetime | None = None
        self.last: datetime | None = None

    def begin(self, at: datetime) -> None:
        """A session begins: the time between two sessions does not count."""
        if self.last is not None:
            self._before = self.seconds(self.last)
        self._began = at

    def seconds(self, at: datetime) -> float:
        """Seconds worked until `at`, in all sessions."""
        return self._before + ((at - self._began).total_seconds() if self._began else 0.0)

    def start(self, whose: str, limits: Allowance) -> Iterator[str]:
        """Count an attempt that starts; yields the limits that were used up before."""
        used = {"attempts": self._attempts, "cost_usd": self._cost, "tokens": self._tokens}
        for key, amount in used.items():
            most = getattr(limits, key)
            if most is not None and amount >= most:
                yield f"{whose}: an attempt starts after {amount} of {most} {key}"
        self._attempts += 1

    def end(self, ended: AttemptEnded) -> None:
        """Count what an attempt used."""
        self._cost += ended.cost_usd or 0.0
        self._tokens += (ended.input_tokens or 0) + (ended.output_tokens or 0)


def repeated(course: Course) -> Iterator[str]:
    """Reviews of a commit that has a verdict already: not more of them than the runner was killed."""
    good: set[tuple[str, str | None]] = set()
    again: Counter[str] = Counter()
    for entry in course.journal:
        match entry.event:
            case AttemptStarted(role="review") as one:
                again[one.wp] += (one.wp, one.head) in good
            case VerdictGiven() as verdict:
                good.add((verdict.wp, verdict.commit))
    for wp, times in again.items():
        if times > course.kills and wp not in course.touched:
            yield f"{wp}: {times} reviews were repeated for {course.kills} kills"


def lost_work(course: Course) -> Iterator[str]:
    """Commits of implementers that are neither in their workspace nor kept."""
    simulation = course.simulation
    kept = set(simulation.repository.kept_commits.values())
    for entry in course.journal:
        match entry.event:
            case WorkCommitted(role="implement") as one if one.wp not in course.touched:
                if one.commit not in {*simulation.workspace_of(one.wp).heads, *kept}:
                    yield f"{one.wp}: the commit {one.commit} is lost"
