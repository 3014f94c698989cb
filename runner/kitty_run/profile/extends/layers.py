"""The chain of files that a profile is made of: `extends`, followed to its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kitty_run.profile.extends.merge import Layer
from kitty_run.profile.extends.sources import GitSource, inner_path, parse_source
from kitty_run.profile.validation.nearest import nearest
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.yaml.position import Place, display
from kitty_run.profile.yaml.reader import Unreadable, open_source, read_document
from kitty_run.profile.yaml.tree import ListNode, MapNode, Node, ScalarNode
from kitty_run.resources import profiles_dir

MAX_FILES = 100
_NOT_PRESETS = ("defaults",)


def preset_names() -> list[str]:
    """The presets that ship: whole profiles, and one for each agent family."""
    return sorted({path.stem for path in _preset_files() if path.stem not in _NOT_PRESETS})


def preset_path(name: str) -> Path | None:
    """The file of the preset `name`, or None."""
    return next((path for path in _preset_files() if path.stem == name and name not in _NOT_PRESETS), None)


def preset_description(name: str) -> str:
    """What the preset `name` says that it is for, or nothing."""
    path = preset_path(name)
    root, _ = read_document(open_source(path, shipped=True)) if path else (None, [])
    description = root.get("description") if root else None
    return str(description.value) if isinstance(description, ScalarNode) else ""


def _preset_files() -> Iterator[Path]:
    yield from sorted(profiles_dir().glob("*.yaml"))
    yield from sorted((profiles_dir() / "agents").glob("*.yaml"))


def defaults_layer() -> Layer:
    """The lowest layer of every profile."""
    root, problems = read_document(source := open_source(profiles_dir() / "defaults.yaml", shipped=True))
    if root is None or problems:
        raise ValueError(f"damaged: {source.path}: {problems}")
    return Layer(source, root)


class Finder(Protocol):
    """Where the files of git sources are: as they are locked, or fetched."""

    def tree(self, source: GitSource) -> Path:
        """The directory of the source's files; ValueError: message, newline, hint."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """A file of the chain: `tree` and `inner` where it is one of a git source's files."""

    path: Path
    shipped: bool = False
    source: GitSource | None = None
    tree: Path | None = None
    inner: str = ""

    @property
    def name(self) -> str:
        """How messages call it; empty: by its path."""
        return f"{self.source.label}#{self.inner}" if self.source else ""

    @property
    def real(self) -> str:
        """Which file it is, whatever links lead to it; links in a circle lead to themselves."""
        return os.path.realpath(self.path)


class Chain:
    """Follows `extends` from one file; `layers` are in the order in which they apply, each file once.

    A file that several others extend applies where it is first reached.
    """

    def __init__(self, finder: Finder) -> None:
        self.layers: list[Layer] = []
        self.problems: list[Problem] = []
        self._finder = finder
        self._seen: set[str] = set()
        self._known: dict[str, Layer] = {}

    def add(self, origin: Origin, above: tuple[Origin, ...] = ()) -> None:
        """Read `origin` and all that it extends; raises `Unreadable` for `origin` itself only."""
        self._seen.add(origin.real)
        source = open_source(origin.path, shipped=origin.shipped, name=origin.name)
        root, problems = read_document(source)
        self.problems += problems
        if root is None:
            return
        bases = [
            self._extend(place, pointer, text, (*above, origin)) for place, pointer, text in _extended(root)
        ]
        layer = Layer(source, root, tuple(base for base in bases if base))
        self._known[origin.real] = layer
        self.layers.append(layer)

    def _extend(self, place: Place, pointer: str, text: str, above: tuple[Origin, ...]) -> Layer | None:
        """The layer of the file that `text` names, or None, with a problem, where it can't be used."""
        try:
            origin = _locate(text, above[-1], self._finder)
            if origin.real in {each.real for each in above}:
                raise ValueError(_cycle(origin, above))
            if origin.real not in self._seen:
                if len(self._seen) >= MAX_FILES:
                    raise ValueError(f"a profile made of more than {MAX_FILES} files")
                self.add(origin, above)
            return self._known.get(origin.real)
        except Unreadable as error:
            self._unreadable(place, pointer, text, error)
        except ValueError as error:
            message, _, hint = str(error).partition("\n")
            self.problems.append(Problem.at(place, pointer, message, hint))
        return None

    def _unreadable(self, place: Place, pointer: str, text: str, error: Unreadable) -> None:
        problem = error.problem
        if error.unopened:
            hint = f"looked for {problem.file}; paths are relative to the file that names them"
            self.problems.append(Problem.at(place, pointer, f"{text!r} {problem.message}", hint))
        else:
            self.problems.append(problem)


def _extended(root: MapNode) -> Iterator[tuple[Place, str, str]]:
    """What `root` extends: place, pointer and text of each text entry (the schema reports the rest)."""
    extends = root.get("extends")
    items: tuple[Node, ...] = extends.items if isinstance(extends, ListNode) else ()
    if isinstance(extends, ScalarNode) and isinstance(extends.value, str) and extends.value:
        yield extends.place, "/extends", extends.value
    for number, item in enumerate(items):
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.value:
            yield item.place, f"/extends/{number}", item.value


def _locate(text: str, naming: Origin, finder: Finder) -> Origin:
    """The file that `text` in the file `naming` names; ValueError: message, newline, hint."""
    if text.startswith("preset:"):
        return Origin(_preset(text.removeprefix("preset:")), shipped=True)
    if text.startswith("git+"):
        return _git_file(text, naming, finder)
    if "://" in text:
        raise ValueError(
            f"{text!r} is no source that can be extended\npreset:NAME, git+https://... or a path"
        )
    if naming.source and naming.tree:
        inner = inner_path(naming.inner, text)
        return Origin(naming.tree / inner, False, naming.source, naming.tree, inner)
    return Origin(naming.path.parent / _with_home(text), naming.shipped)


def _with_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text!r}: there is no such home directory") from error


def _git_file(text: str, naming: Origin, finder: Finder) -> Origin:
    source = parse_source(text)
    if source.scheme == "file" and naming.source and naming.source.scheme != "file":
        raise ValueError("a remote profile can't read repositories of this machine\nuse git+https or git+ssh")
    tree = finder.tree(source)
    return Origin(tree / source.path, False, source, tree, source.path)


def _preset(name: str) -> Path:
    if path := preset_path(name):
        return path
    raise ValueError(f"unknown preset {name!r}\n{nearest(name, preset_names())}")


def _cycle(origin: Origin, above: tuple[Origin, ...]) -> str:
    first = [each.real for each in above].index(origin.real)
    names = [each.name or display(each.path) for each in (*above[first:], above[first])]
    return "extends itself: " + " -> ".join(names)
