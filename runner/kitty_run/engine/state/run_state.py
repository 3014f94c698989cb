"""What the runner knows that the host does not hold, folded from the journal's events.

The same fold serves a running engine and one that continues after a crash, so that both decide alike.
Losing it loses no work: the host's lanes and git's commits are enough to continue, only attempts, sessions,
costs and feedback start again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kitty_run.agents.model import Started
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import (
    AttemptEnded,
    AttemptInterrupted,
    AttemptProcess,
    AttemptStarted,
    BranchMovedBack,
    BranchPutBack,
    BranchSeen,
    CallEnded,
    EgressDenied,
    Entry,
    Event,
    FamilyLimited,
    GateAnswered,
    GitRestored,
    MergeQuestioned,
    MergeStarted,
    MergeVerified,
    MissionAccepted,
    ProcessEnded,
    RetryDecided,
    RunEnded,
    RunResumed,
    RunStarted,
    VerdictGiven,
    WorkReady,
    WpEnded,
)
from kitty_run.engine.state.usage import Ledger
from kitty_run.engine.state.work_package_memory import WorkPackageMemory, remember
from kitty_run.profile.model import FailureClass


@dataclass(slots=True)
class Sessions:
    """Whether what nobody knows of may be at work: after a session that came to no end, and where nothing is
    known of what was before, until a session started an attempt, paused for nobody, and came to its end."""

    cut_off: bool = True
    _under_way: bool = False
    _started: bool = False
    _paused: bool = False

    def take(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case RunStarted() | RunResumed():
                self.cut_off = self.cut_off or self._under_way
                self._under_way, self._started, self._paused = True, False, False
            case AttemptStarted():
                self._started = True
            case WpEnded(code=EndCode.PAUSED):
                self._paused = True
            case RunEnded():
                self._under_way = False
                self.cut_off = self.cut_off and (self._paused or not self._started)


@dataclass(slots=True)
class Memory:
    """The whole run's memory; `apply` is the only thing that changes it."""

    work_packages: dict[str, WorkPackageMemory] = field(default_factory=dict)
    noted: set[tuple[str, str]] = field(default_factory=set)
    """Answers to gates, by gate and when they were given, that are in the host's history."""
    noting: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each work package whose history is about to get an answer, which one that is."""
    ledger: Ledger = field(default_factory=Ledger)
    """What attempts used, of the run and of each work package."""
    processes: dict[str, Started] = field(default_factory=dict)
    """Started and not seen ended, by marker: what a killed run may have left behind."""
    limited: dict[str, dict[FailureClass, datetime]] = field(default_factory=dict)
    """Until when each agent family was or is limited, by the failure class that said so; aware times."""
    fast_failures: dict[str, int] = field(default_factory=dict)
    """How many attempts of each agent family failed in a row almost as soon as they were started."""
    halted: dict[str, tuple[datetime, FailureClass]] = field(default_factory=dict)
    """Until when each family is limited by that (aware), and what the last of them failed of."""
    families: dict[str, str] = field(default_factory=dict)
    """The family of each agent that was started."""
    heads: dict[str, str] = field(default_factory=dict)
    """The commit of each work package that the merge must contain."""
    before: str | None = None
    """What the target was at before the latest merge."""
    questioned: dict[str, str] = field(default_factory=dict)
    """What people were asked to look at after the merge: the commit of `commits`, of `conflicts`."""
    seen: dict[str, str] = field(default_factory=dict)
    """What the target, and the mission's own branch, were at when they were looked at last."""
    moved_back: dict[str, BranchMovedBack] = field(default_factory=dict)
    """Of those, by name, the ones that lack commits which were seen on them."""
    merged: str | None = None
    target: str | None = None
    accepted: bool = False
    at_work: set[str] = field(default_factory=set)
    """Work packages of which an own attempt is at work."""
    attempted: set[str] = field(default_factory=set)
    """Those of which one was at work since the host was last asked for its lanes."""
    attempted_before: frozenset[str] = frozenset()
    """The same, as the session before left it."""
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, in all sessions."""
    denied: tuple[str, ...] = ()
    """Where attempts and checks were not let through to, as HOST:PORT, in all sessions."""
    calls: int = 0
    sessions: Sessions = field(default_factory=Sessions)

    def of(self, wp: str) -> WorkPackageMemory:
        """The memory of `wp`, empty at first."""
        return self.work_packages.setdefault(wp, WorkPackageMemory())

    def apply(self, entry: Entry) -> None:
        """Fold one entry; events that leave no memory are passed over."""
        self.ledger.take(entry)
        event = entry.event
        self.sessions.take(event)
        if event.wp is not None:
            remember(self.of(event.wp), event)
        self._remember(event)

    def _remember(self, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - a table of types
        """What concerns more than one work package."""
        match event:
            case RunResumed():  # how it was found by the run is what its first session found
                self.attempted_before = frozenset(self.attempted)
                self.at_work = set()
            case RunStarted():
                for wp, found in event.work_packages.items():
                    self.of(wp).found = self.of(wp).lane = found.lane
            case AttemptStarted(wp=str(wp)):
                self.at_work.add(wp)
                self.attempted.add(wp)
                self.families[event.agent] = event.family
            case AttemptEnded(wp=str(wp)) | AttemptInterrupted(wp=str(wp)):
                self.at_work.discard(wp)
            case CallEnded():
                self.calls += 1
                if event.operation == "state" and event.code is None:
                    self.attempted = set(self.at_work)
                if event.operation == "note" and event.wp in self.noting:
                    self.noted.add(self.noting.pop(event.wp))
            case GateAnswered(history=str(wp)):
                self.noting[wp] = (event.gate, event.given)
            case FamilyLimited():
                limits = self.limited.setdefault(event.family, {})
                limits[event.failure] = max(event.until, limits.get(event.failure, event.until))
                if event.fast_failures:
                    self.halted[event.family] = event.until, event.failure
            case RetryDecided(family=str(family), fast_failures=int(count)):
                self.fast_failures[family] = count
            case WorkReady(wp=str(wp)):
                for family in self.of(wp).authors[-1:]:
                    self.fast_failures.pop(family, None)
            case VerdictGiven():
                self.fast_failures.pop(self.families.get(event.agent, ""), None)
            case AttemptProcess():
                self.processes[event.marker] = Started(event.pid, event.created, event.process or "")
            case ProcessEnded():
                self.processes.pop(event.marker, None)
            case GitRestored(changed=changed):
                self.restored = tuple(dict.fromkeys((*self.restored, *changed)))
            case EgressDenied(host=host, port=port):
                self.denied = tuple(dict.fromkeys((*self.denied, f"{host}:{port}")))
            case MissionAccepted():
                self.accepted = True
            case MergeStarted():
                self.heads.update(event.heads)
                self.before = event.before or self.before
            case MergeQuestioned():
                self.questioned[event.about] = event.commit
            case BranchSeen():
                self.seen[event.branch] = event.commit
                self.moved_back.pop(event.branch, None)
            case BranchPutBack(branch=branch) if branch in self.seen:
                self.seen[branch] = event.commit
            case BranchMovedBack():
                self.moved_back[event.branch] = event
            case MergeVerified():
                self.merged, self.target = event.commit or "", event.target
