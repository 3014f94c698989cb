"""Events about a work package: its lane, its workspace, the work in it, and its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from kitty_run.agents.model import Ending
from kitty_run.engine.state.end_codes import EndCode, Result
from kitty_run.engine.state.events.base import LEFT_OUT, WorkPackageEvent
from kitty_run.host.model import Lane
from kitty_run.profile.model import RoleName


@dataclass(frozen=True, slots=True)
class WpMoved(WorkPackageEvent):
    """The work package is in another lane than before."""

    TYPE: ClassVar[str] = "wp.moved"
    lane: Lane


@dataclass(frozen=True, slots=True)
class LaneMovedByOthers(WorkPackageEvent):
    """Others moved it from `was` to `lane` while own attempts of the work packages `during` were at work.

    `approval`: the move says that its work is good. That counts for nothing: it is reviewed all the same.
    """

    TYPE: ClassVar[str] = "lane.moved_by_others"
    was: Lane
    lane: Lane
    during: tuple[str, ...]
    approval: bool


@dataclass(frozen=True, slots=True)
class WorkspaceAllocated(WorkPackageEvent):
    """The work package has a workspace; its own work is measured from `base`."""

    TYPE: ClassVar[str] = "workspace.allocated"
    base: str
    path: Path
    branch: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceAwaited(WorkPackageEvent):
    """The work package waits until `holder`, of the same workspace, is approved."""

    TYPE: ClassVar[str] = "workspace.awaited"
    holder: str
    claimed: bool


@dataclass(frozen=True, slots=True)
class WorkspaceRepaired(WorkPackageEvent):
    """The workspace was not whole, and is whole again; `ref` and `commit` keep what was taken away."""

    TYPE: ClassVar[str] = "workspace.repaired"
    path: Path
    why: str
    restored: int
    files: tuple[str, ...]
    removed: bool
    ref: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class WorkKept(WorkPackageEvent):
    """What is about to be taken out of a workspace is kept; what is too large for git is in `folder`."""

    TYPE: ClassVar[str] = "work.kept"
    ref: str
    commit: str
    why: str
    count: int
    files: tuple[str, ...]
    folder: Path | None


@dataclass(frozen=True, slots=True)
class WorkSaved(WorkPackageEvent):
    """What lay uncommitted in the workspace was committed, where it was anything."""

    TYPE: ClassVar[str] = "work.saved"
    commit: str | None
    why: str


@dataclass(frozen=True, slots=True)
class WorkDelivered(WorkPackageEvent):
    """Its work up to `work` is on the branch `target` now, which is at `commit`."""

    TYPE: ClassVar[str] = "work.delivered"
    work: str
    target: str
    commit: str


@dataclass(frozen=True, slots=True)
class WorkCommitted(WorkPackageEvent):
    """What an attempt changed was committed."""

    TYPE: ClassVar[str] = "work.committed"
    commit: str
    role: RoleName
    agent: str


@dataclass(frozen=True, slots=True)
class WorkLeft(WorkPackageEvent):
    """What a failed implementing attempt left in the workspace."""

    TYPE: ClassVar[str] = "work.left"
    agent: str
    attempt: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class CheckRecord:
    """How a check ended."""

    name: str
    passed: bool
    ending: Ending
    status: int | None
    seconds: float
    log: Path


@dataclass(frozen=True)
class CheckEnded(CheckRecord, WorkPackageEvent):
    """A check ended."""

    TYPE: ClassVar[str] = "check.ended"


@dataclass(frozen=True, slots=True)
class ChecksStarted(WorkPackageEvent):
    """The work of an attempt passed the output gate, and the checks on `commit` are about to run."""

    TYPE: ClassVar[str] = "checks.started"
    commit: str
    agent: str
    attempt: int


@dataclass(frozen=True, slots=True)
class WorkReady(WorkPackageEvent):
    """The work passed the output gate and the checks."""

    TYPE: ClassVar[str] = "work.ready"
    commit: str
    checks: tuple[CheckRecord, ...]


@dataclass(frozen=True, slots=True)
class WpEnded(WorkPackageEvent):
    """The work package is finished in this session."""

    TYPE: ClassVar[str] = "wp.ended"
    result: Result
    code: EndCode | None = field(default=None, metadata=LEFT_OUT)
    reason: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class ErrorUnexpected(WorkPackageEvent):
    """An error that the runner did not expect: a bug."""

    TYPE: ClassVar[str] = "error.unexpected"
    error: str
    traceback: str
