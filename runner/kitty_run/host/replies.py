"""A host's reply data to the types of `model`: lanes known, paths inside the repository, files there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from kitty_run.host.dialect import Dialect
from kitty_run.host.envelope import UNREADABLE, Json
from kitty_run.host.model import Allocation, HostRefused, Lane, MergeReply, MissionState, WorkPackage
from kitty_run.host.template import fill

WORKSPACE_UNUSABLE = "WORKSPACE_UNUSABLE"
PROMPT_MISSING = "PROMPT_MISSING"

_NAME = re.compile(r"\w[\w.-]*")


def mission_state(data: Json, dialect: Dialect) -> MissionState:
    """The reply of the state call; `HOST_UNREADABLE` for an unknown lane or a missing field."""
    entries = _entries(data, "work_packages", "state")
    return MissionState(
        mission=_name(data, dialect.fields.mission, "state"),
        work_packages=tuple(_work_package(entry) for entry in entries),
    )


def ready_ids(data: Json) -> frozenset[str]:
    """The ids in the reply of list-ready."""
    entries = _entries(data, "ready_work_packages", "ready")
    return frozenset(_name(entry, "wp_id", "ready") for entry in entries)


def merge_reply(data: Json, dialect: Dialect, asked: MergeReply) -> MergeReply:
    """What the host says it merged; what it leaves out is as `asked`."""
    if data.get("merged") is not True:
        raise _senseless("merge", f"success, but merged is {data.get('merged')!r}")
    key = dialect.fields.merged
    merged = data.get(key) if key else None
    return MergeReply(
        target=str(data.get("target_branch") or asked.target),
        strategy=str(data.get("strategy") or asked.strategy),
        merged=tuple(str(wp) for wp in merged) if isinstance(merged, list) else None,
    )


def allocation(data: Json, dialect: Dialect, repo: Path, mission: str, operation: str) -> Allocation:
    """Where a work package is worked on, from the reply of the claim or of the locating call.

    Raises `HostRefused`: `HOST_UNREADABLE` for a path outside `repo`, `PROMPT_MISSING` where the prompt file
    is not there, `WORKSPACE_UNUSABLE` where the host should have made a worktree and has not.
    """
    wp = _name(data, "wp_id", operation)
    workspace = _inside(repo, _text(data, "workspace_path", operation), operation)
    prompt = _existing(_inside(repo, _text(data, "prompt_path", operation), operation), wp, operation)
    branch, base = (_ref(data, key, operation) for key in (dialect.fields.branch, dialect.fields.base))
    if dialect.convention:
        branch = fill(dialect.convention.branch, {"mission": mission, "wp": wp})
    own = dialect.topology(repo, mission).own_worktree
    if own is None:
        _check_workspace(workspace, repo, branch, wp, operation)
        return Allocation(wp, workspace, prompt, branch, base)
    if workspace != repo.resolve():
        message = (
            f"{operation}: the host wants {wp} to be worked on at {workspace}, not at the root checkout as "
            "the mission's topology says: was it planned by an older host? Plan it anew"
        )
        raise HostRefused(WORKSPACE_UNUSABLE, operation, message, {})
    values = {"mission": mission, "wp": wp}
    apart = _inside(repo, fill(own.workspace, values), operation)
    return Allocation(wp, apart, prompt, fill(own.branch, values), base)


def conventional(dialect: Dialect, repo: Path, mission: str, wp: str) -> Allocation:
    """Where `wp` is worked on where the host has no call for it; LookupError without a convention."""
    convention = dialect.convention
    if convention is None:
        raise LookupError(f"the dialect {dialect.name} has neither a locate operation nor a convention")
    values = {"mission": mission, "wp": wp}
    workspace = _inside(repo, fill(convention.workspace, values), "locate")
    prompt = dialect.prompt_file(repo, mission, wp) or repo / fill(dialect.prompt[0], values)
    return Allocation(wp, workspace, _existing(prompt, wp, "locate"), fill(convention.branch, values))


def _work_package(entry: Json) -> WorkPackage:
    wp, lane = _name(entry, "wp_id", "state"), _text(entry, "lane", "state")
    if lane not in set(Lane):
        raise _senseless("state", f"{wp} is in the lane {lane!r}, which this program does not know")
    dependencies = entry.get("dependencies")
    return WorkPackage(
        id=wp,
        lane=Lane(lane),
        dependencies=tuple(str(name) for name in dependencies) if isinstance(dependencies, list) else (),
        actor=actor if isinstance(actor := entry.get("last_actor"), str) else "",
    )


def _check_workspace(workspace: Path, repo: Path, branch: str | None, wp: str, operation: str) -> None:
    if workspace == repo.resolve():
        message = f"{operation}: the host wants {wp} to be worked on at the repository's root, {workspace}"
        raise HostRefused(WORKSPACE_UNUSABLE, operation, message, {})
    if branch is None and not workspace.is_dir():
        message = (
            f"{operation}: the host named {workspace} for {wp} but made no worktree; it finds the mission's "
            "lanes only while the branch that holds kitty-specs is checked out at the repository's root"
        )
        raise HostRefused(WORKSPACE_UNUSABLE, operation, message, {})


def _inside(repo: Path, text: str, operation: str) -> Path:
    root = repo.resolve()
    path = (root / text).resolve()
    if not path.is_relative_to(root):
        raise _senseless(operation, f"the host named a path outside the repository: {text} is {path}")
    return path


def _existing(path: Path, wp: str, operation: str) -> Path:
    if not path.is_file():
        message = f"{operation}: the prompt file of {wp} does not exist: {path}"
        raise HostRefused(PROMPT_MISSING, operation, message, {})
    return path


def _entries(data: Json, key: str, operation: str) -> Iterable[Json]:
    entries = data.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _senseless(operation, f"the reply has no list {key!r}")
    return cast("list[Mapping[str, object]]", entries)


def _text(data: Json, key: str, operation: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise _senseless(operation, f"the reply has no {key!r}")
    return value


def _name(data: Json, key: str, operation: str) -> str:
    """An id that is safe as part of a path: the runner names directories after it."""
    value = _text(data, key, operation)
    if not _NAME.fullmatch(value):
        raise _senseless(operation, f"the reply's {key} is no plain name: {value!r}")
    return value


def _ref(data: Json, key: str | None, operation: str) -> str | None:
    """A git ref, which must not look like an option to git; None where the reply has none."""
    value = data.get(key) if key else None
    if not value:
        return None
    if not isinstance(value, str) or value.startswith("-"):
        raise _senseless(operation, f"the reply's {key} is no git ref: {value!r}")
    return value


def _senseless(operation: str, what: str) -> HostRefused:
    return HostRefused(UNREADABLE, operation, f"{operation}: {what}", {})
