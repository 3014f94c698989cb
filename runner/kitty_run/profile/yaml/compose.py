"""From YAML events to nodes, without recursion, and with a limit on everything that can grow."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.yaml.position import Place, Source
from kitty_run.profile.yaml.scalars import resolve
from kitty_run.profile.yaml.tree import Entry, ListNode, MapNode, Node, Path, ScalarNode, pointer

MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 100_000
MERGE_KEY = "<<"
_NO_KEY = "?"
"""The style of the placeholder for a missing key."""


class TooMuch(Exception):
    """A limit was reached; what follows in the document is not read. Carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class _Frame:
    """An open collection. `size` and `height` count aliases at the size of their anchors' values."""

    place: Place
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: ScalarNode | None = None
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Finished:
    """A node, how many it holds, and how deep it goes."""

    node: Node
    size: int = 1
    height: int = 0


class Composer:
    """Takes the events of one document; `root` is its tree, `problems` what was wrong on the way."""

    def __init__(self, source: Source) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._source = source
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Finished] = {}
        self._aliases = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event; raises `TooMuch` at a limit."""
        match event:
            case yaml.ScalarEvent():
                self._add(_Finished(self._scalar(event)), event.anchor)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._open(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()
            case yaml.DocumentStartEvent():
                self._document(event)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "keep one and remove the `---` between them"
            raise TooMuch(Problem.at(self._place(event), "", "several documents in one file", hint))

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        place = self._place(event)
        self._refuse_tag(event, place)
        style = event.style if event.style in {"'", '"', "|", ">"} else ""
        try:
            value = event.value if style else resolve(event.value)
        except ValueError as error:
            self._problem(place, str(error), "in quotes it is text")
            value = None
        return ScalarNode(place, value, event.value, style)

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        place = self._place(event)
        self._refuse_tag(event, place)
        if len(self._frames) >= MAX_DEPTH:
            raise TooMuch(Problem.at(place, "", f"nested deeper than {MAX_DEPTH} levels"))
        self._frames.append(_Frame(place, event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def _close(self) -> None:
        frame = self._frames.pop()
        node: Node
        if frame.is_map:
            node = MapNode(frame.place, _with_merged(frame))
        else:
            node = ListNode(frame.place, tuple(frame.items))
        self._add(_Finished(node, frame.size, frame.height), frame.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place, name = self._place(event), event.anchor
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise TooMuch(Problem.at(place, self._pointer(), f"more than {MAX_ALIASES} aliases"))
        if any(frame.anchor == name for frame in self._frames):
            raise TooMuch(Problem.at(place, self._pointer(), f"*{name} is inside what it refers to"))
        if name not in self._anchors:
            self._problem(place, f"*{name} refers to no anchor", f"write &{name} where it is first used")
            self._add(_Finished(ScalarNode(place, None, "")), None)
            return
        finished = self._anchors[name]
        if len(self._frames) + finished.height > MAX_DEPTH:
            raise TooMuch(Problem.at(place, self._pointer(), f"nested deeper than {MAX_DEPTH} levels"))
        self._add(finished, None)

    def _add(self, finished: _Finished, anchor: str | None) -> None:
        """Put a finished node where it belongs."""
        node = finished.node
        if anchor:
            self._anchors[anchor] = finished
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.size += finished.size
        frame.height = max(frame.height, finished.height + 1)
        if frame.size > MAX_NODES:
            raise TooMuch(Problem.at(node.place, self._pointer(), "too many values: aliases that explode?"))
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is None:
            self._key(frame, node)
        else:
            self._entry(frame, frame.key, node)
            frame.key = None

    def _key(self, frame: _Frame, node: Node) -> None:
        if isinstance(node, ScalarNode):
            frame.key = node
            return
        self._problem(node.place, "a key must be plain text")
        frame.key = ScalarNode(node.place, "?", "?", _NO_KEY)

    def _entry(self, frame: _Frame, key: ScalarNode, node: Node) -> None:
        if key.style == _NO_KEY:
            return
        if key.raw == MERGE_KEY and not key.style:
            self._merge(frame, key, node)
        elif first := frame.entries.get(key.raw):
            first_place = f"line {first.key.line}, column {first.key.column}"
            message = f"duplicate key: {key.raw!r}, first at {first_place}"
            where = (*self._path(), key.raw)
            self.problems.append(Problem.at(key.place, pointer(where), message, "keep one of them"))
        else:
            frame.entries[key.raw] = Entry(key.place, node)

    def _merge(self, frame: _Frame, key: ScalarNode, node: Node) -> None:
        maps = node.items if isinstance(node, ListNode) else (node,)
        if all(isinstance(each, MapNode) for each in maps):
            frame.merged.extend(maps)
        else:
            self._problem(key.place, "`<<` takes a mapping or a list of mappings")

    def _refuse_tag(self, event: yaml.NodeEvent, place: Place) -> None:
        if tag := getattr(event, "tag", None):
            short = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._problem(place, f"tags are not allowed: {short}", "remove it; quotes make text")

    def _problem(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem.at(place, self._pointer(), message, hint))

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # noqa: S101 - both parsers give every event its marks
        return Place(self._source, mark.line + 1, mark.column + 1)

    def _path(self) -> Path:
        """Where the innermost open collection is."""
        outer = self._frames[:-1]
        return tuple(frame.key.raw if frame.key else len(frame.items) for frame in outer)

    def _pointer(self) -> str:
        if not self._frames:
            return ""
        frame = self._frames[-1]
        last: Path = (frame.key.raw,) if frame.key else () if frame.is_map else (len(frame.items),)
        return pointer((*self._path(), *last))


def _with_merged(frame: _Frame) -> dict[str, Entry]:
    """The map's own entries over those of its `<<` maps, of which the first wins."""
    entries = dict(frame.entries)
    for node in frame.merged:
        if isinstance(node, MapNode):
            for key, entry in node.entries.items():
                entries.setdefault(key, entry)
    return entries
