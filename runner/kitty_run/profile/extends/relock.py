"""What moving pins changes: the pins themselves, and the resolved profile as a diff for a reviewer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from kitty_run.profile.extends.sources import Pin
from kitty_run.profile.load import check
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.views.explain import tree_yaml
from kitty_run.profile.yaml.position import display


def resolved_lines(profile: Path) -> list[str] | None:
    """The resolved profile as it is locked now, as lines of YAML; None where it isn't whole."""
    try:
        return tree_yaml(check(profile)[0]).splitlines(keepends=True)
    except ProfileInvalid:
        return None


def moves(old: Mapping[str, Pin], new: Mapping[str, Pin], path: Path) -> str:
    """A line for each source of `new`: pinned, moved, or as it was."""
    lines = []
    for source, pin in sorted(new.items()):
        before = old.get(source)
        if before is None:
            lines.append(f"pinned {source} to {pin.commit}")
        elif before.commit != pin.commit:
            lines.append(f"moved {source} from {before.commit} to {pin.commit}")
        elif before != pin:
            lines.append(f"repaired the digest of {source} at {pin.commit}")
        else:
            lines.append(f"kept {source} at {pin.commit}")
    count = "no git sources" if not new else f"{len(new)} git source" + ("s" if len(new) > 1 else "")
    return "".join(line + "\n" for line in [*lines, f"{display(path)}: {count}"])


def difference(before: list[str], after: list[str], profile: Path) -> str:
    """What changes in the resolved profile, as a unified diff; nothing where nothing changes."""
    name = display(profile)
    return "".join(difflib.unified_diff(before, after, f"{name} (locked)", f"{name} (updated)"))
