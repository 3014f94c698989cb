"""What holds at each event of a run: checked while it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kitty_run.engine.state.events import (
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    GateAnswered,
    LimitReached,
    MergeStarted,
    MergeVerified,
    ReviewOutdated,
    VerdictGiven,
    WpEnded,
)
from kitty_run.host.model import Lane

from tests.engine.properties.course import Course
from tests.engine.properties.scenarios import is_check

MUTATIONS = {"claim", "tick", "hand_in", "claim_review", "approve", "reject", "confirm", "block"}
"""The calls that move a work package, or write of it into the host's files."""


class Watch:
    """Looks at a course while it happens; `problems` is what it found."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.strangers: set[str] = set()
        """Workspaces whose commits came in while the host was merging: the run must say so."""
        self._verdicts: dict[str, VerdictGiven] = {}
        self._approved: dict[str, set[str]] = {}
        self._approving: Counter[str] = Counter()
        self._merged = False
        self._worked: set[str] = set()
        self._calls = 0
        self._announced: Counter[str] = Counter()
        self._passed: set[str] = set()
        self._session = 0
        self._limited = False
        self._in_hand: set[str] = set()

    def __call__(self, course: Course, event: Event) -> None:
        self.problems += self._calls_announced(course, event)
        self.problems += self._started_after_all(course, event)
        self.problems += self._claimed_together(course, event)
        self.problems += merges_a_conflict(course, event)
        match event:
            case AttemptStarted() as started:
                self.problems += two_writers(course, started, self._worked)
                self.problems += beyond_concurrency(course, started)
                self.problems += too_early(course, started)
                self._worked.add(started.wp)
            case VerdictGiven() as verdict:
                self._verdicts[verdict.wp] = verdict
                self._approving[verdict.wp] = 0
                if verdict.verdict == "approved":
                    name = course.simulation.workspace_name(verdict.wp)
                    self._approved.setdefault(name, set()).add(verdict.commit)
            case ReviewOutdated(wp=wp):
                self._verdicts.pop(wp, None)
            case GateAnswered(gate=gate, approved=approved):
                (self._passed.add if approved else self._passed.discard)(gate)
        self.problems += self._gates(course, event)
        self.problems += self._approval(course, event)
        self._look_at_merge(course, event)

    def _calls_announced(self, course: Course, event: Event) -> Iterator[str]:
        """Every call that changes something is announced before, one announcement for each."""
        match event:
            case CallStarted(operation=operation, wp=wp) if operation in MUTATIONS:
                self._announced[f"{operation} {wp}"] += 1
            case CallEnded(operation=operation, wp=wp) if operation in MUTATIONS:
                if not self._announced[f"{operation} {wp}"]:
                    yield f"{operation} of {wp} was not announced"

    def _started_after_all(self, course: Course, event: Event) -> Iterator[str]:
        """Nothing is claimed and no attempt starts after an interrupt, or when the run is at a limit."""
        if self._session != course.session:
            self._session, self._limited, self._in_hand = course.session, False, set()
        claims = isinstance(event, CallStarted) and event.operation == "claim"
        stopping = course.interrupted or self._limited
        if stopping and (claims or isinstance(event, AttemptStarted)):
            yield f"{event} after an interrupt, or at a limit of the run"
        self._limited |= isinstance(event, LimitReached) and event.wp is None

    def _claimed_together(self, course: Course, event: Event) -> Iterator[str]:
        """No work package is claimed whose workspace, as the host's plan names it, another one has."""
        match event:
            case CallStarted(operation="claim", wp=str(wp)):
                known = course.together(wp) - set(course.scenario.unannounced)
                if wp in known and (mates := (known - {wp}) & self._in_hand):
                    yield f"{wp} is claimed while {', '.join(mates)} has its workspace"
                self._in_hand.add(wp)
            case WpEnded(wp=wp):
                self._in_hand.discard(wp)

    def _gates(self, course: Course, event: Event) -> Iterator[str]:
        """Nothing passes a gate that nobody has opened."""
        if course.healed:
            return
        gate = {AttemptStarted: "start"}.get(type(event), "")
        if isinstance(event, CallStarted):
            gate = {"accept": "accept", "merge": "merge", "approve": f"done-{event.wp}"}.get(
                event.operation, ""
            )
        name = gate.partition("-")[0]
        if name and name in course.scenario.profile.gates and gate not in self._passed:
            yield f"{event} passes the gate {gate}, at which nobody said yes"

    def _approval(self, course: Course, event: Event) -> Iterator[str]:
        """An approval is made on an approving verdict alone, about exactly what the workspace holds."""
        if not isinstance(event, CallStarted) or event.operation != "approve" or event.wp is None:
            return
        verdict, content = self._verdicts.get(event.wp), course.simulation.workspace_of(event.wp)
        self._approving[event.wp] += 1
        if verdict is None or verdict.verdict != "approved":
            yield f"{event.wp} is approved without an approving verdict"
        elif self._approving[event.wp] == 1 and verdict.commit != content.head:
            yield f"{event.wp}: {content.head} is approved, and {verdict.commit} was reviewed"

    def _look_at_merge(self, course: Course, event: Event) -> None:
        simulation = course.simulation
        if isinstance(event, MergeVerified) and not simulation.host.held.merged:
            self.problems.append("verified a merge that was not made")
        if not simulation.host.held.merged or self._merged:
            return
        self._merged = True
        for wp, lane in simulation.lanes().items():
            content, name = simulation.workspace_of(wp), simulation.workspace_name(wp)
            if lane is Lane.CANCELED or wp in course.moved:
                continue
            reviewed = content.head in self._approved.get(name, set())
            if wp in course.late:
                self.strangers |= set() if reviewed else {name}
                continue
            if not reviewed:
                self.problems.append(f"{wp}: {content.head} is merged, and was not approved")
            if not content.clean:
                self.problems.append(f"{wp} is merged with uncommitted changes")
            if wp not in self._verdicts and wp not in course.touched:
                self.problems.append(f"{wp} is merged without a verdict of its own")


def merges_a_conflict(course: Course, event: Event) -> Iterator[str]:
    """A merge that is begun though it is known that it can't be made."""
    if course.unresolved and isinstance(event, MergeStarted):
        yield "a merge is begun of work that conflicts"


def two_writers(course: Course, started: AttemptStarted, worked: set[str]) -> Iterator[str]:
    """Attempts that are at work in the workspace in which one starts, and work that waits for a review."""
    simulation = course.simulation
    together = course.together(started.wp)
    lanes = simulation.lanes()
    others = {one.wp for one in simulation.processes.running if one.wp in together}
    in_review = {
        wp
        for wp, lane in lanes.items()
        if wp in worked - course.touched - {started.wp}
        and wp in together
        and lane in {Lane.FOR_REVIEW, Lane.IN_REVIEW, Lane.BLOCKED}
    }
    for wp in others | in_review:
        yield f"{started.wp} starts in the workspace in which {wp} is at work ({lanes[wp]})"


def beyond_concurrency(course: Course, started: AttemptStarted) -> Iterator[str]:
    """Limits of attempts at once that are exceeded when one starts; checks are none."""
    running = [one for one in course.simulation.processes.running if not is_check(one)]
    limits = course.scenario.profile.concurrency
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


def too_early(course: Course, started: AttemptStarted) -> Iterator[str]:
    """Implementations that start before what they depend on is finished on the host."""
    simulation = course.simulation
    lanes, finished = simulation.lanes(), {*simulation.host.traits.satisfied_by, Lane.CANCELED}
    if started.role == "implement":
        for wp in course.scenario.dependencies[started.wp]:
            if lanes[wp] not in finished and wp not in course.touched:
                yield f"{started.wp} starts though {wp} is in {lanes[wp]}"
