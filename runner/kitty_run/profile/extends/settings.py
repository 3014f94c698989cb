"""`--set POINTER=VALUE` as a layer like any other."""

from __future__ import annotations

from kitty_run.profile.extends.merge import Layer
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.schema import KEYS_OF_FILES
from kitty_run.profile.yaml.position import Place, Source
from kitty_run.profile.yaml.reader import read_value
from kitty_run.profile.yaml.tree import Entry, MapNode, Node, ScalarNode, parse_pointer


def settings_layer(number: int, pointer: str, value: str) -> tuple[Layer | None, list[Problem]]:
    """The layer of the `number`th (from 1) `--set`, and what is wrong with it; `value` is YAML."""
    source = Source(f"--set[{number}]", f"{pointer}={value}")
    place = Place(source)
    try:
        parts = parse_pointer(pointer)
        if not parts:
            raise ValueError("the whole profile can't be set")
    except ValueError as error:
        hint = "like /concurrency/work_packages=8"
        return None, [Problem.at(place, "", f"not a JSON pointer: {pointer!r}: {error}", hint)]
    if parts[0] in KEYS_OF_FILES:
        hint = "write it into a file that extends the profile"
        return None, [Problem.at(place, f"/{parts[0]}", "is a key of files and can't be set", hint)]
    node, problems = _value(source, pointer, value)
    for part in reversed(parts):
        node = MapNode(place, {part: Entry(place, node)})
    return Layer(source, node) if isinstance(node, MapNode) and not problems else None, problems


def _value(source: Source, pointer: str, value: str) -> tuple[Node, list[Problem]]:
    """The value, read in its place: behind the pointer and the `=`."""
    padding = " " * (len(pointer) + 1)
    if value.lstrip().startswith("{{"):  # a template, which YAML would take for a mapping in a mapping
        return ScalarNode(Place(source, 1, len(padding) + 1), value, value), []
    node, problems = read_value(Source(source.name, padding + value))
    if node is None or (isinstance(node, ScalarNode) and not node.style and not value.strip()):
        return ScalarNode(Place(source), None, ""), problems
    return node, problems
