"""What holds for every run: checked on its journal, its reports and what is left of it, at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from kitty_run.engine.shutdown import EndCode
from kitty_run.engine.state.events import (
    AttemptInterrupted,
    AttemptStarted,
    CheckEnded,
    ChecksStarted,
    ErrorUnexpected,
    FamilyLimited,
    MergeConflicted,
    RetryDecided,
    ReworkStarted,
    VerdictGiven,
    WorkCommitted,
    WorkLeft,
    WorkReady,
)
from kitty_run.engine.state.session_report import Report
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action

from tests.engine.properties.course import Course
from tests.engine.properties.scenarios import KILLS, LEFT_BY_CHECKS
from tests.engine.properties.spending import beyond_limits
from tests.engine.properties.watch import Watch

DAY = 86400.0
GOOD = {EndCode.COMPLETED, EndCode.DONE_BEFORE}


def problems(course: Course, watch: Watch) -> list[str]:
    """All that is not as it must be, after the whole course."""
    return [
        *watch.problems,
        *(problem for report in course.reports for problem in ends(course, report)),
        *unexpected(course),
        *limited_starts(course),
        *beyond_limits(course),
        *reviewed_again(course),
        *implemented_again(course),
        *reviews_by_authors(course),
        *lost_work(course),
        *forbidden(course),
        *untold(course, watch),
        *untold_conflicts(course),
        *unchecked(course),
        *(f"{name} at the root during a host call" for name in course.together_with_calls),
        *blocked_by_others(course),
        *unfinished(course),
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
    """Errors of the runner itself."""
    for entry in course.journal:
        match entry.event:
            case ErrorUnexpected() as error:
                yield f"{error.error}\n{error.traceback}"


def limited_starts(course: Course) -> Iterator[str]:
    """Attempts that started while the journal said that their family is limited."""
    until: dict[str, datetime] = {}
    for entry in course.journal:
        match entry.event:
            case FamilyLimited() as limit:
                until[limit.family] = max(limit.until, until.get(limit.family, limit.until))
            case AttemptStarted() as one if entry.at < until.get(one.family, entry.at):
                yield f"{one.wp}: {one.agent} starts though its family is limited until {until[one.family]}"


def reviewed_again(course: Course) -> Iterator[str]:
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


def implemented_again(course: Course) -> Iterator[str]:
    """Attempts that nothing asked for: not more of them than the runner was killed.

    An attempt is asked for by the plan, by what was decided of the one before, by a review, or by whoever
    interrupted the one before.
    """
    asked = Counter(dict.fromkeys(course.scenario.dependencies, 1))
    again: Counter[str] = Counter()
    for entry in course.journal:
        match entry.event:
            case AttemptStarted(role="implement", wp=wp):
                again[wp] += asked[wp] == 0
                asked[wp] = 0
            case RetryDecided(role="implement", wp=wp) | AttemptInterrupted(role="implement", wp=wp):
                asked[wp] = 1
            case ReworkStarted(wp=wp):
                asked[wp] = 1
    for wp, times in again.items():
        if times > course.kills and wp not in course.touched:
            yield f"{wp}: {times} implementations were repeated for {course.kills} kills"


def reviews_by_authors(course: Course) -> Iterator[str]:
    """Reviews that are said to be independent, by a family that left something in the workspace."""
    agents = course.scenario.profile.agents
    families: dict[str, set[str]] = {}
    for entry in course.journal:
        match entry.event:
            case WorkLeft(files=()):
                pass
            case WorkLeft(wp=wp, agent=agent) | WorkCommitted(wp=wp, agent=agent):
                families.setdefault(wp, set()).add(agents[agent].family)
            case VerdictGiven(wp=wp, agent=agent, independent=True):
                if agents[agent].family in families.get(wp, set()):
                    yield f"{wp}: {agent} reviews the work of its own family, as an independent one"


def lost_work(course: Course) -> Iterator[str]:
    """Commits of implementers that are neither in their workspace nor kept."""
    simulation = course.simulation
    kept = set(simulation.repository.kept_commits.values())
    for entry in course.journal:
        match entry.event:
            case WorkCommitted(role="implement") as one if one.wp not in course.touched:
                if one.commit not in {*simulation.workspace_of(one.wp).heads, *kept}:
                    yield f"{one.wp}: the commit {one.commit} is lost"


def forbidden(course: Course) -> Iterator[str]:
    """Host files that were changed by anything but the host, reviewers' files in the work, and force."""
    for wp in course.scenario.dependencies:
        names = {name for commit in course.simulation.workspace_of(wp).commits for name in commit}
        yield from (f"{wp}: {name} was committed" for name in names if name.startswith("kitty-specs"))
        if LEFT_BY_CHECKS in names:
            yield f"{wp}: what its checks left was committed"
        if "reviewer.txt" in names:
            yield f"{wp}: what its reviewer left was committed"
    if course.planned() != course.plans:
        yield "files below kitty-specs/ were changed"
    for call in course.simulation.host.calls:
        if "--force" in call.argv:
            yield f"the host was forced: {call.argv}"


def untold(course: Course, watch: Watch) -> Iterator[str]:
    """Commits that came in while the host was merging, and of which no report says anything."""
    if watch.strangers and not any("nobody reviewed" in report.reason for report in course.reports):
        yield f"nobody was told that {', '.join(watch.strangers)} was merged with commits nobody reviewed"


def untold_conflicts(course: Course) -> Iterator[str]:
    """Conflicts that were found, and of which no report says what conflicts."""
    found = [entry.event for entry in course.journal if isinstance(entry.event, MergeConflicted)]
    if found and not course.scenario.conflict:
        yield f"a conflict was found where there is none: {found[0]}"
    told = sum("src/app.py" in report.reason for report in course.reports)
    unread = sum(stop.how in KILLS for stop in course.scenario.stops)
    if len(found) > told + unread:
        yield f"{len(found)} sessions found conflicts, {told} said so"


def unchecked(course: Course) -> Iterator[str]:
    """Work that counts as ready though the checks on just that commit did not all pass, or were not run."""
    if not course.scenario.settings.checks:
        return
    on: dict[str, str] = {}
    passed: set[tuple[str, str]] = set()
    for entry in course.journal:
        match entry.event:
            case ChecksStarted(wp=wp, commit=commit):
                on[wp] = commit
                passed.discard((wp, commit))
            case CheckEnded(wp=str(wp), passed=good) if good:
                passed.add((wp, on[wp]))
            case WorkReady(wp=wp, commit=commit) if (wp, commit) not in passed:
                yield f"{wp}: {commit} is ready without checks that passed"


def unfinished(course: Course) -> Iterator[str]:
    """A mission that is not merged at last, though nothing was in its way any more."""
    last = course.reports[-1]
    blocked = {Lane.BLOCKED, Lane.CANCELED} & set(course.simulation.lanes().values())
    if course.scenario.benign and last.exit_status is not ExitStatus.OK and not blocked:
        why = last.reason or {wp: one.reason for wp, one in last.work_packages.items()}
        yield f"not finished after every trouble had ended: {why}"


def blocked_by_others(course: Course) -> Iterator[str]:
    """Work packages that are blocked though nothing of their own was decided so."""
    scenario = course.scenario
    if scenario.faults or scenario.foreign or scenario.settings.gates:
        return
    decided = [entry.event for entry in course.journal if isinstance(entry.event, RetryDecided)]
    last = {event.wp: event.action for event in decided}
    for wp, lane in course.simulation.lanes().items():
        if lane is Lane.BLOCKED and last.get(wp) is not Action.BLOCK:
            yield f"{wp} is blocked, and {last.get(wp)} was decided last"
