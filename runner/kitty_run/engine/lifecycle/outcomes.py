"""What the steps of a work package can come to, and what ends one: values, each with what a reader needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kitty_run.engine.shutdown import End
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane
from kitty_run.profile.model import Action


@dataclass(frozen=True, slots=True)
class Found:
    """The host has it in `lane`."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class MovedByOthers:
    """The host has it in `lane` since others moved it during an own attempt, and nobody reviewed its work.

    `claimed`: this run has claimed it, so that it has a workspace.
    """

    lane: Lane
    claimed: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """It is claimed and has its workspace.

    `ready`: the work there passed its gates and checks already, and only the hand-in was lost.
    """

    ready: bool


@dataclass(frozen=True, slots=True)
class Implemented:
    """The work is committed, and its checks passed."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """It is in the lane `for_review`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`verdict` is the one that is known of the commit in the workspace; None: there is none yet."""

    verdict: Literal["approved", "changes_requested"] | None


@dataclass(frozen=True, slots=True)
class Limited:
    """No attempt was started: the agent's family became limited before."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed, and `action` is what its retry row says."""

    action: Action
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """The workspace holds changes that the review would not show."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """It is in the lane `done`."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """Its branch moved after the review, for the `times`-th time."""

    times: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Overruled:
    """A person said no at the gate `done`."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Changes are requested, and `action` is what the row of rework says; `review` names the review."""

    action: Action
    review: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A host call was refused, and `action` is what its retry row says.

    `holder` is who has the work package, where the host says so. `lost`: there was no usable reply.
    """

    action: Action
    reason: str = ""
    holder: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing more is done for it in this run: the run stops, a limit is reached, a gate waits, and so on."""

    end: End


@dataclass(frozen=True, slots=True)
class Unusable:
    """Its workspace, task or agent can't be used. `workspace`: git refused something in the workspace."""

    reason: str = ""
    workspace: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """It is moved to the lane `blocked` with the reason, and that ends it. `workspace` as in `Unusable`."""

    code: EndCode
    reason: str
    workspace: bool = False


@dataclass(frozen=True, slots=True)
class Abort:
    """The whole run ends."""

    reason: str
    exit_status: ExitStatus
