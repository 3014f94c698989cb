"""What a host wants of git's configuration and branches (data of a dialect's `traits`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class MergeDrivers:
    """What git is to run for the merge drivers whose names begin with `prefix`: `command`, with `{name}` for
    the rest of the name."""

    prefix: str
    command: str

    def command_of(self, driver: str) -> str | None:
        """What `driver` runs; None where it is none of the host's."""
        name = driver.removeprefix(self.prefix)
        return None if name == driver else self.command.replace("{name}", name)


@dataclass(frozen=True, slots=True)
class Protection:
    """Branches that a host refuses to commit on.

    Those that the list below `key` in the YAML file `file` of the repository names; without such a list
    `branches`, and the default branch of the remote. None at all where the environment sets `variable`.
    """

    branches: tuple[str, ...]
    file: str
    key: tuple[str, ...]
    variable: str

    @property
    def setting(self) -> str:
        """What in `file` protects no branch."""
        return f"`{'.'.join(self.key)}: []`"

    def of(self, repo: Path, default: str | None, env: Mapping[str, str]) -> frozenset[str]:
        """The branches protected in `repo`; `default` is the remote's default branch."""
        if env.get(self.variable, "").strip().lower() in TRUE:
            return frozenset()
        named = self._named(repo)
        if named is not None:
            return named
        return frozenset({*self.branches, *filter(None, (default,))})

    def _named(self, repo: Path) -> frozenset[str] | None:
        import yaml

        try:
            found = yaml.safe_load((repo / self.file).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return None  # the host itself says what is wrong with it
        for key in self.key:
            found = found.get(key) if isinstance(found, dict) else None
        return frozenset(map(str, found)) if isinstance(found, list) else None
