"""What the runner knows that the host does not hold, folded from the journal's events.

The same fold serves a running engine and one that goes on after a crash, so that both decide alike.
Losing it loses no work: the host's lanes and git's commits are enough to go on, only attempts, sessions,
costs and feedback start anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kitty_run.agents.model import Started
from kitty_run.engine.state.journal import Event
from kitty_run.engine.state.usage import Ledger


@dataclass(slots=True)
class WorkPackageMemory:
    """One work package's memory.

    `cycle` counts rounds of implementation from 1 (each rework begins one). `attempts` numbers the
    attempts per role, for log names. `agent` is the index of the role's current agent. `repeats` counts
    uses of retry rows. `feedback` is the review that this cycle answers; `notes` say per role what the
    last failed attempt came to. `base` is the commit that the WP's own work is measured from, in
    `workspace` on `branch`. `ready` is the commit that passed the output gate and the checks. `verdict`
    is the last one with its commit. `seconds` says per role how long its last good attempt took.

    `sessions` are the conversations to take up again, by `role:agent`; `resumed` names the roles whose
    latest attempt took one up. `granted` is per role the counter of the wait that was decided last, until
    its attempt starts. `authors` are the families whose work is in the workspace, the latest last.
    `inspected` is the commit that a reviewer was started on which nobody has cleaned up after yet.
    `reviewed` is the commit that was approved, by a reviewer or by whoever approved it on the host.
    `awaits`: it was claimed, and then waited for its workspace without touching it.
    `under_way` is the implementing attempt that was started and of which nobody knows yet what it left.
    `found` is the lane that the run found it in when it began, `claims` how often the host was asked for it;
    `asked` tells whether a person was asked to do something about it.
    """

    cycle: int = 1
    attempts: dict[str, int] = field(default_factory=dict)
    agent: dict[str, int] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    granted: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    resumed: set[str] = field(default_factory=set)
    feedback: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    base: str | None = None
    workspace: Path | None = None
    branch: str | None = None
    awaits: bool = False
    ready: str | None = None
    checks: list[dict[str, object]] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    under_way: Mapping[str, object] | None = None
    inspected: str | None = None
    verdict: Mapping[str, object] | None = None
    reviewed: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    found: str | None = None
    claims: int = 0
    asked: bool = False

    def untouched(self) -> bool:
        """Whether a claim came to no end before, and certainly nobody has worked in the workspace since.

        Neither an agent did, nor a person who was told that the work package is blocked.
        """
        fresh = self.found == "planned" and self.base is None and not self.attempts
        return fresh and self.claims > 1 and not self.asked


@dataclass(slots=True)
class Memory:
    """The whole run's memory; `apply` is the only thing that changes it."""

    work_packages: dict[str, WorkPackageMemory] = field(default_factory=dict)
    noted: set[tuple[str, str]] = field(default_factory=set)
    """Answers to gates, by gate and when they were given, that the host's history was told of."""
    noting: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each work package whose history is about to be told of an answer, which one that is."""
    ledger: Ledger = field(default_factory=Ledger)
    """What attempts used, of the run and of each work package."""
    processes: dict[str, Started] = field(default_factory=dict)
    """Started and not seen ended, by marker: what a killed run may have left behind."""
    limited: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """Until when each agent family was or is limited, by the failure class that told so; aware times."""
    heads: dict[str, str] = field(default_factory=dict)
    """The commit of each work package that the merge must contain."""
    merged: str | None = None
    target: str | None = None
    accepted: bool = False
    restored: tuple[str, ...] = ()
    """What was put back of git's settings, in all sessions."""
    calls: int = 0

    def of(self, wp: str) -> WorkPackageMemory:
        """The memory of `wp`, empty at first."""
        return self.work_packages.setdefault(wp, WorkPackageMemory())

    def apply(self, event: Event) -> None:
        """Fold one event; types that leave no memory are passed over."""
        self.ledger.take(event)
        if event.wp is not None and (fold := _WORK_PACKAGE_FOLDS.get(event.type)):
            fold(self.of(event.wp), event.data)
        if event.type == "call.ended" and event.data.get("operation") == "note" and event.wp in self.noting:
            self.noted.add(self.noting.pop(event.wp))
        if fold_run := _RUN_FOLDS.get(event.type):
            fold_run(self, event.data)


def _allocated(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.base, memory.workspace = str(data["base"]), Path(str(data["path"]))
    memory.branch = str(data["branch"]) if data.get("branch") else None
    memory.awaits = False


def _awaited(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.awaits = memory.awaits or (bool(data["claimed"]) and memory.base is None)


def _attempt_started(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    role = str(data["role"])
    memory.attempts[role] = int(str(data["attempt"]))
    memory.granted.pop(role, None)
    (memory.resumed.add if data.get("session") else memory.resumed.discard)(role)
    memory.inspected = str(data["head"]) if role == "review" and data.get("head") else None
    if role == "implement":
        _wrote(memory)
        memory.under_way = data


def _wrote(memory: WorkPackageMemory) -> None:
    """What is under way counts as work of its agent's family, which is the latest then."""
    if memory.under_way is not None:
        family = str(memory.under_way["family"])
        memory.authors = [*(known for known in memory.authors if known != family), family]
        memory.under_way = None


def _work_left(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    if data["files"]:
        _wrote(memory)
    memory.under_way = None


def _session_dropped(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.sessions.pop(f"{data['role']}:{data['agent']}", None)


def _attempt_ended(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    if session := data.get("session"):
        memory.sessions[f"{data['role']}:{data['agent']}"] = str(session)
    if data.get("failure") is None:
        memory.seconds[str(data["role"])] = float(str(data.get("seconds", 0.0)))


def _work_ready(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    _wrote(memory)
    memory.ready = str(data["commit"])
    memory.checks = list(data.get("checks") or [])  # type: ignore[call-overload]


def _retry_decided(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    counter = str(data["counter"])
    if data.get("repeat"):
        memory.repeats[counter] = int(str(data["repeat"]))
    if (agent := data.get("next_agent")) is not None:
        memory.agent[str(data["role"])] = int(str(agent))
    if (role := data.get("role")) is not None:
        memory.inspected = None if role == "review" else memory.inspected
        memory.notes[str(role)] = str(data.get("note", ""))
        if data["action"] == "wait":
            memory.granted[str(role)] = counter


def _rework_started(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.cycle = int(str(data["cycle"]))
    memory.feedback = str(data["feedback"])
    memory.ready = None
    memory.verdict = memory.reviewed = None
    kept = {key: count for key, count in memory.repeats.items() if key.startswith("review:changes_requested")}
    memory.repeats = kept
    memory.notes = {}
    memory.agent.pop("review", None)
    memory.sessions = {key: value for key, value in memory.sessions.items() if key.startswith("implement:")}


def _progressed(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    if data.get("code") is not None:
        return
    prefix = f"host:{data['operation']}:"
    memory.repeats = {key: count for key, count in memory.repeats.items() if not key.startswith(prefix)}


def _ended(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.asked = memory.asked or data["result"] in {"blocked", "failed"}
    memory.inspected = None


def _verdict_given(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.verdict, memory.inspected = data, None
    memory.reviewed = str(data["commit"]) if data.get("verdict") == "approved" else None


def _head_found(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.reviewed = str(data["commit"])


def _called(memory: WorkPackageMemory, data: Mapping[str, object]) -> None:
    memory.claims += data["operation"] == "claim"


_WORK_PACKAGE_FOLDS = {
    "call.started": _called,
    "workspace.allocated": _allocated,
    "workspace.awaited": _awaited,
    "attempt.started": _attempt_started,
    "attempt.ended": _attempt_ended,
    "work.left": _work_left,
    "session.dropped": _session_dropped,
    "work.ready": _work_ready,
    "retry.decided": _retry_decided,
    "verdict.given": _verdict_given,
    "head.found": _head_found,
    "rework.started": _rework_started,
    "call.ended": _progressed,
    "wp.ended": _ended,
}


def _started(memory: Memory, data: Mapping[str, object]) -> None:
    memory.processes[str(data["marker"])] = Started(int(str(data["pid"])), float(str(data["created"])))


def _count_call(memory: Memory, _: Mapping[str, object]) -> None:
    memory.calls += 1


def _merged(memory: Memory, data: Mapping[str, object]) -> None:
    memory.merged, memory.target = str(data["commit"]), str(data["target"])


def _answered(memory: Memory, data: Mapping[str, object]) -> None:
    if (history := data.get("history")) is not None:
        memory.noting[str(history)] = (str(data["gate"]), str(data.get("given", "")))


def _limited(memory: Memory, data: Mapping[str, object]) -> None:
    failure, until = str(data["failure"]), datetime.fromisoformat(str(data["until"]))
    limits = memory.limited.setdefault(str(data["family"]), {})
    limits[failure] = max(until, limits.get(failure, until))


def _begun(memory: Memory, data: Mapping[str, object]) -> None:
    packages = data.get("work_packages")
    for wp, told in packages.items() if isinstance(packages, Mapping) else ():
        memory.of(wp).found = str(told["lane"])


def _restored(memory: Memory, data: Mapping[str, object]) -> None:
    found = data["changed"]
    changed = map(str, found) if isinstance(found, list | tuple) else ()
    memory.restored = tuple(dict.fromkeys((*memory.restored, *changed)))


_RUN_FOLDS: Mapping[str, Callable[[Memory, Mapping[str, Any]], object]] = {
    "gate.answered": _answered,
    "family.limited": _limited,
    "attempt.process": _started,
    "process.ended": lambda memory, data: memory.processes.pop(str(data["marker"]), None),
    "merge.started": lambda memory, data: memory.heads.update(data["heads"]),
    "merge.verified": _merged,
    "mission.accepted": lambda memory, _: setattr(memory, "accepted", True),
    "run.started": _begun,
    "call.ended": _count_call,
    "git.restored": _restored,
}
