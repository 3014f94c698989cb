"""A mission's planning files, as the simulated host reads them: `meta.json`, `lanes.json`, the prompts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PROMPT = re.compile(r"(WP\d+)(-.*)?\.md")
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mission:
    """A mission in the repository at `root`; `slug` is its directory's name below `kitty-specs/`.

    `apart` is the worktree in which the host keeps the mission's status; None: the root.
    """

    root: Path
    slug: str
    apart: Path | None = None

    @property
    def status(self) -> Path:
        """The directory of the status and of the acceptance criteria."""
        return (self.apart or self.root) / "kitty-specs" / self.slug

    @property
    def branch(self) -> str:
        """The mission's own branch, which the status is committed on where it is kept apart."""
        return f"kitty/mission-{self.slug}"

    @property
    def topology(self) -> str:
        """Its topology, as the mission's own record names it."""
        return str(self.meta.get("topology") or "")

    @property
    def directory(self) -> Path:
        return self.root / "kitty-specs" / self.slug

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is in `meta.json`; nothing where there is none."""
        return _json(self.directory / "meta.json")

    @property
    def target(self) -> str | None:
        """The branch that the finished mission is merged into."""
        found = self.meta.get("target_branch")
        return str(found) if found else None

    def prompts(self) -> dict[str, Path]:
        """The prompt file of each work package, in order of their ids."""
        found = ((_PROMPT.fullmatch(path.name), path) for path in (self.directory / "tasks").glob("*.md"))
        return {match[1]: path for match, path in sorted(found, key=lambda pair: pair[1].name) if match}

    def lane_of(self, wp: str) -> str:
        """The name of the worktree lane of `wp`: from `lanes.json`, else made from its id."""
        lanes: list[Mapping[str, Any]] = _json(self.directory / "lanes.json").get("lanes", [])
        return next((str(lane["lane_id"]) for lane in lanes if wp in lane["wp_ids"]), f"lane-{wp.lower()}")


def find(root: Path, slug: str) -> Mission | None:
    """The mission `slug`, if the repository is set up for spec-kitty and has it."""
    plain = re.fullmatch(r"[\w.-]+", slug) is not None and slug not in {".", ".."}
    mission = Mission(root, slug)
    return mission if plain and (root / ".kittify").is_dir() and mission.directory.is_dir() else None


def front_matter(prompt: Path) -> Mapping[str, Any]:
    """The YAML between the `---` lines at the head of a prompt file; nothing where there is none."""
    found = _FRONT.match(prompt.read_text(encoding="utf-8"))
    fields = yaml.safe_load(found[1]) if found else None
    return fields if isinstance(fields, dict) else {}


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
