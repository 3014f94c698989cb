"""The folders without which a host accepts no mission (data of a dialect's `acceptance`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Those of one type of missions: below the mission's own directory, and below the repository's root."""

    mission: tuple[str, ...] = ()
    repository: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Folders that are not there: of the mission's own, which no agent makes, and of the repository's."""

    mission: tuple[str, ...] = ()
    repository: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What `folders` each type of missions must have; `type` is the key of meta.json that names it.

    `waived`: a folder of the mission's own that meta.json has the value of under the folder's name is not
    asked for. `elsewhere`: the keys in the YAML file `file` below which a project says where else they are.
    """

    type: str
    folders: Mapping[str, Folders]
    waived: str
    file: str
    elsewhere: tuple[str, ...]

    def missing(self, repo: Path, mission: str, meta: Mapping[str, object]) -> Missing:
        """What `mission` lacks in `repo`; `meta` is its meta.json."""
        wanted = self.folders.get(str(meta.get(self.type)), Folders())
        own = Path("kitty-specs") / mission
        lacking = [own / name for name in wanted.mission if meta.get(name) != self.waived]
        project = [] if self._is_elsewhere(repo) else [Path(name) for name in wanted.repository]
        gone = [[path for path in paths if not (repo / path).exists()] for paths in (lacking, project)]
        return Missing(*(tuple(path.as_posix() for path in paths) for paths in gone))

    def _is_elsewhere(self, repo: Path) -> bool:
        import yaml

        try:
            found = yaml.safe_load((repo / self.file).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return False
        for key in self.elsewhere:
            found = found.get(key) if isinstance(found, Mapping) else None
        return bool(found)
