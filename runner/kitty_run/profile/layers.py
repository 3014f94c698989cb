"""The chain of files that a profile is made of: `extends`, followed to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kitty_run.profile.merge import Layer
from kitty_run.profile.nearest import nearest
from kitty_run.profile.place import Place, display
from kitty_run.profile.problems import Problem
from kitty_run.profile.reader import Unreadable, open_source, read_document
from kitty_run.profile.tree import ListNode, MapNode, Node, ScalarNode
from kitty_run.resources import profiles_dir

MAX_FILES = 100
_REMOTE = re.compile(r"git\+[a-z]+:")
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


class Chain:
    """Follows `extends` from one file; `layers` are in the order in which they apply, each file once.

    A file that several others extend applies where it is first reached.
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.problems: list[Problem] = []
        self._seen: set[Path] = set()

    def add(self, path: Path, *, shipped: bool = False, open_files: tuple[Path, ...] = ()) -> None:
        """Read `path` and all that it extends; raises `Unreadable` for `path` itself only."""
        self._seen.add(path.resolve())
        source = open_source(path, shipped=shipped)
        root, problems = read_document(source)
        self.problems += problems
        if root is None:
            return
        for place, pointer, text in _extended(root):
            self._extend(place, pointer, text, (*open_files, path))
        self.layers.append(Layer(source, root))

    def _extend(self, place: Place, pointer: str, text: str, open_files: tuple[Path, ...]) -> None:
        shipped = text.startswith("preset:") or place.source.shipped
        try:
            path = _locate(text, open_files[-1])
            if path.resolve() in {file.resolve() for file in open_files}:
                raise ValueError(_cycle(path, open_files))
            if path.resolve() in self._seen:
                return
            if len(self._seen) >= MAX_FILES:
                raise ValueError(f"a profile made of more than {MAX_FILES} files")
            self.add(path, shipped=shipped, open_files=open_files)
        except Unreadable as error:
            self._unreadable(place, pointer, text, error.problem)
        except ValueError as error:
            message, _, hint = str(error).partition("\n")
            self.problems.append(Problem.at(place, pointer, message, hint))

    def _unreadable(self, place: Place, pointer: str, text: str, problem: Problem) -> None:
        if problem.message.startswith("can't be read"):
            hint = f"looked for {problem.file}; paths are relative to the file that names them"
            self.problems.append(Problem.at(place, pointer, f"{text!r} {problem.message}", hint))
        else:
            self.problems.append(problem)


def _extended(root: MapNode) -> Iterator[tuple[Place, str, str]]:
    """What `root` extends: place, pointer and text of each entry that is text (the schema tells the rest)."""
    extends = root.get("extends")
    items: tuple[Node, ...] = extends.items if isinstance(extends, ListNode) else ()
    if isinstance(extends, ScalarNode) and isinstance(extends.value, str) and extends.value:
        yield extends.place, "/extends", extends.value
    for number, item in enumerate(items):
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.value:
            yield item.place, f"/extends/{number}", item.value


def _locate(text: str, naming: Path) -> Path:
    """The file that `text` in the file `naming` names; ValueError: message, newline, hint."""
    if text.startswith("preset:"):
        return _preset(text.removeprefix("preset:"))
    if _REMOTE.match(text):
        raise ValueError("git sources can't be extended yet\nuse a file or a preset")
    if "://" in text:
        raise ValueError(f"{text!r} is no source that can be extended\npreset:NAME, or a file's path")
    return naming.parent / Path(text).expanduser()


def _preset(name: str) -> Path:
    if path := preset_path(name):
        return path
    raise ValueError(f"no preset is called {name!r}\n{nearest(name, preset_names())}")


def _cycle(path: Path, open_files: tuple[Path, ...]) -> str:
    first = [file.resolve() for file in open_files].index(path.resolve())
    names = [display(Path(file)) for file in (*open_files[first:], open_files[first])]
    return "extends itself: " + " -> ".join(names)
