"""A mission to be planned, and the project that it is planned in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Topology = Literal["coord", "lanes", "lanes_with_coord", "single_branch", "legacy"]


@dataclass(frozen=True, slots=True)
class WorkPackageSpec:
    """A work package to be planned.

    Hosts put those whose `owned_files` overlap into one workspace, and work packages of the kind
    `planning_artifact` into the root checkout (3.x).
    """

    id: str
    title: str
    dependencies: tuple[str, ...] = ()
    body: str = ""
    owned_files: tuple[str, ...] = ()
    subtasks: tuple[str, ...] = ()
    kind: Literal["code_change", "planning_artifact"] = "code_change"


@dataclass(frozen=True, slots=True)
class MissionSpec:
    """A mission to be planned, and the files that its project starts with (path to text).

    `topology` None is for hosts without topologies; `legacy` is the 3.x mission from before mission ids,
    which has no `mission_id` and whose slug must start with a number. 3.x hosts plan on no `main`.
    """

    slug: str
    work_packages: tuple[WorkPackageSpec, ...]
    topology: Topology | None = "coord"
    branch: str = "feature/work"
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """The repository's root, the mission's real slug (hosts add an id to it), and its planning branch."""

    root: Path
    mission: str
    branch: str

    @property
    def mission_dir(self) -> Path:
        return self.root / "kitty-specs" / self.mission
