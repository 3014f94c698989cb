"""What is known of the agents' command lines: the data of `profiles/families/`, a file for each family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from kitty_run.profile.extends.layers import preset_path
from kitty_run.profile.validation.schema import as_text, profile_schema
from kitty_run.profile.yaml.reader import open_source, read_document
from kitty_run.profile.yaml.tree import MapNode, as_map, find, plain
from kitty_run.resources import profiles_dir


@dataclass(frozen=True, slots=True)
class Touching:
    """Options that touch policy, and why. `role`: they may stand in `roles` too, for what a role may use."""

    options: tuple[str, ...]
    why: str
    role: bool = False


@dataclass(frozen=True, slots=True)
class Parser:
    """How a CLI reads its options beyond `--name`, `--name value` and `--name=value`.

    `bundles`: `-ab` is `-a -b`, or `-a` with the value `b`. `abbreviates`: a beginning of a name that fits it
    alone is the name. `camel_case`: `--someName` is `--some-name`. `negates`: `--no-name` sets `--name`.
    """

    bundles: bool = False
    abbreviates: bool = False
    camel_case: bool = False
    negates: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Options whose value is `KEY=VALUE`, with patterns of keys that touch policy and of those that don't."""

    options: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """One agent family.

    `checked`: by axis, the values that the unmodified preset was seen to keep. Variables are patterns of
    their names. `agent` is that of its preset, as the file has it.
    """

    name: str
    parser: Parser
    checked: Mapping[str, Sequence[str]]
    touches: tuple[Touching, ...]
    settings: Settings
    with_value: tuple[str, ...]
    switches: tuple[str, ...]
    touching_variables: tuple[str, ...]
    harmless_variables: tuple[str, ...]
    loads: tuple[str, ...]
    """Files and folders of a workspace that it reads as instructions, settings or programs."""
    agent: MapNode = field(repr=False)

    def why(self, option: str) -> Touching | None:
        """The row of `option`, where it touches policy."""
        return next((row for row in self.touches if option in row.options), None)

    @property
    def known(self) -> frozenset[str]:
        """Every option that the data names."""
        rows = (option for row in self.touches for option in row.options)
        return frozenset((*rows, *self.with_value, *self.switches, *self.settings.options))

    def touches_variable(self, name: str) -> bool:
        """Whether the variable `name` is known to touch policy."""
        return _like(name, self.touching_variables) and not _like(name, self.harmless_variables)

    def spares_variable(self, name: str) -> bool:
        """Whether the variable `name` is known to touch nothing."""
        return _like(name, (*self.harmless_variables, *programs().harmless))


@dataclass(frozen=True, slots=True)
class Programs:
    """The families by program or package; programs that start others; variables that touch no agent's policy.

    What programs that `leave` start may run where the runner's sandbox isn't.
    """

    families: Mapping[str, str]
    start: frozenset[str]
    leave: frozenset[str]
    harmless: tuple[str, ...]


def _like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def read_data(path: Path) -> Any:
    """The shipped YAML file `path` as plain data; ValueError where it is damaged."""
    root, problems = read_document(open_source(path, shipped=True))
    if root is None or problems:
        raise ValueError(f"damaged: {path}: {problems}")
    return plain(root)


def family_names() -> list[str]:
    """The families that are known."""
    return sorted(path.stem for path in (profiles_dir() / "families").glob("*.yaml"))


@cache
def programs() -> Programs:
    """What is known of programs and variables, whatever the family."""
    data = read_data(profiles_dir() / "policy" / "programs.yaml")
    start, leave = frozenset(data["start"]), frozenset(data["leave"])
    return Programs(data["families"], start, leave, tuple(data["harmless"]))


def families_of(family: str, words: Sequence[str]) -> list[Family]:
    """The families that an agent of this `family`, started by a command of these `words`, may be of."""
    names = {family, *(programs().families.get(program_of(word), "") for word in words)}
    return [family_called(name) for name in family_names() if name in names]


def followed_by(family: str, words: Sequence[str]) -> tuple[str, ...]:
    """What such an agent may follow of a workspace; all that any family does where nobody knows it."""
    known = families_of(family, words) or [family_called(name) for name in family_names()]
    return tuple(dict.fromkeys(name for one in known for name in one.loads))


def program_of(word: str) -> str:
    """The program or package that `word` of a command names, without its directory or version."""
    if word.startswith("@"):
        return "@" + word[1:].partition("@")[0]
    return word.rpartition("/")[2].partition("@")[0]


@cache
def family_called(name: str) -> Family:
    """The family `name`, which must be known."""
    path = profiles_dir() / "families" / f"{name}.yaml"
    data = read_data(path)
    harmless, environment = data["harmless"], data["environment"]
    return Family(
        name=path.stem,
        parser=Parser(**data["parser"]),
        checked=data["checked"],
        touches=tuple(
            Touching(tuple(row["options"]), row["why"], row.get("role", False)) for row in data["touches"]
        ),
        settings=Settings(**{key: tuple(value) for key, value in data.get("settings", {}).items()}),
        with_value=tuple(harmless["with_value"]),
        switches=tuple(harmless["switches"]),
        touching_variables=tuple(environment["touches"]),
        harmless_variables=tuple(environment["harmless"]),
        loads=tuple(data["loads"]),
        agent=_preset_agent(path.stem),
    )


def _preset_agent(name: str) -> MapNode:
    path = preset_path(name)
    root, _ = read_document(open_source(path, shipped=True)) if path else (None, [])
    if root is None:
        raise ValueError(f"damaged: the family {name} has no preset")
    return as_map(find(as_text(root, profile_schema()), ("agents", name)) or root)
