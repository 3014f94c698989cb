"""Events about the preparation of workspaces: what was copied, which commands ran, what they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from kitty_run.agents.model import Ending
from kitty_run.engine.state.events.base import WorkPackageEvent
from kitty_run.profile.model import RoleName

SetupPhase = Literal["setup", "teardown"]


@dataclass(frozen=True, slots=True)
class SetupStarted(WorkPackageEvent):
    """A command that prepares the workspace at `path`, or ends that, is about to start.

    `clean`: nothing was uncommitted there before, so that whatever git sees after a kill is the command's.
    """

    TYPE: ClassVar[str] = "setup.started"
    name: str
    phase: SetupPhase
    role: RoleName
    argv: tuple[str, ...]
    log: Path
    path: Path
    clean: bool


@dataclass(frozen=True, slots=True)
class SetupEnded(WorkPackageEvent):
    """Such a command ended."""

    TYPE: ClassVar[str] = "setup.ended"
    name: str
    phase: SetupPhase
    passed: bool
    ending: Ending
    status: int | None
    seconds: float
    log: Path


@dataclass(frozen=True, slots=True)
class WorkspacePrepared(WorkPackageEvent):
    """The workspace at `path` was prepared as far as that succeeded; `passed`: an agent may work there.

    `copied` are files of the root checkout, `put_back` files that git tracks, which the commands changed and
    which are as before again. `left` are new paths that git is not to see, each with its fingerprint (of a
    directory an empty one): what an agent makes of them is its work.
    """

    TYPE: ClassVar[str] = "workspace.prepared"
    role: RoleName
    path: Path
    passed: bool
    copied: tuple[str, ...]
    put_back: tuple[str, ...]
    left: Mapping[str, str]
