"""What was done to prepare a worktree, as the runner remembers it: in its own files, not in the worktree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kitty_run.agents.launch.argv import write_private
from kitty_run.machine import own_file


@dataclass(frozen=True, slots=True)
class SetupRecord:
    """The preparation of one worktree so far.

    `identity` is another one once the worktree is made anew. `steps` are the digests of the steps that
    succeeded, in order; `copied` the files that were copied, with their fingerprints. `left` and `made` are
    what they made, as in `git.workspaces.setup_changes.Changes`.
    """

    identity: str
    steps: tuple[str, ...] = ()
    copied: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()


def load(file: Path, identity: str) -> SetupRecord:
    """The record of the worktree of that identity; an empty one where there is none."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        record = SetupRecord(
            str(read["identity"]),
            tuple(map(str, read["steps"])),
            {str(path): str(known) for path, known in read["copied"].items()},
            {str(path): str(known) for path, known in read["left"].items()},
            tuple(map(str, read["made"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return SetupRecord(identity)
    return record if record.identity == identity else SetupRecord(identity)


def save(file: Path, record: SetupRecord) -> None:
    """Keep the record; raises `MachineFault`."""
    draft = file.with_name(f"{file.name}.new")
    write_private(draft, json.dumps(asdict(record)))
    with own_file(file):
        draft.replace(file)
