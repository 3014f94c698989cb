"""What single values must be beyond the words of JSON Schema: patterns, pointers, ranges, templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kitty_run.profile.limits import memory_size
from kitty_run.profile.review_diff import size
from kitty_run.profile.template import NAMES, Flaw, Names, flaws
from kitty_run.profile.validation.nearest import nearest
from kitty_run.profile.validation.network import host_rule
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.schema import KEYS_OF_FILES, Schema, profile_schema, sub_schema
from kitty_run.profile.yaml.text_position import line_in
from kitty_run.profile.yaml.tree import (
    MapNode,
    Node,
    Path,
    ScalarNode,
    child,
    find,
    map_entries,
    parse_pointer,
    pointer,
)

Found = Iterator[tuple[Path, Node, Schema]]


def check_fields(root: MapNode, values: Found) -> Iterator[Problem]:
    """What is wrong with the single `values` of `root` (from `schema.walk`, all of the right type)."""
    for path, node, schema in values:
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or node.place.source.shipped:
            continue
        if check := _KINDS.get(schema.get("x-kind", "")):
            yield from check(path, node, node.value)
        if "x-template" in schema:
            names = template_names(root, path, with_files=schema["x-template"] == "agent")
            yield from _template(path, node, flaws(node.value, names))


def template_names(root: MapNode, path: Path, *, with_files: bool) -> Names:
    """What the template at `path` may refer to: `files` as its agent's entries name them."""
    names = dict(NAMES)
    if isinstance(find(root, ("policy", "tool_restrictions")), ScalarNode):
        names["policy"] = frozenset({*(NAMES["policy"] or ()), "tool_restrictions"})
    if with_files:
        names["files"] = frozenset(_files(find(root, path[:2])))
    return names


def _files(agent: Node | None) -> Iterator[str]:
    """The names of the files that an agent's `enforce` and `roles` entries write."""
    extras = [entry.node for _, entry in map_entries(child(agent, "roles"))]
    for _, axis in map_entries(child(agent, "enforce")):
        extras += [entry.node for _, entry in map_entries(axis.node)]
    for extra in extras:
        yield from (name for name, _ in map_entries(child(extra, "files")) if isinstance(extra, MapNode))


def _template(path: Path, node: ScalarNode, found: list[Flaw]) -> Iterator[Problem]:
    for flaw in found:
        hint = nearest(flaw.word, list(flaw.choices)) if flaw.choices else ""
        yield Problem.at(line_in(node, flaw.line, flaw.word), pointer(path), flaw.message, hint)


def _regex(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        yield Problem.at(node.place, pointer(path), f"not a regular expression: {error}")
        return
    from kitty_run.text.patterns import is_endless

    if is_endless(text):
        message = "a pattern without end: on some texts it tries more ways to match than can be counted"
        hint = "a group that repeats, like (a+)+ or (a|a)*, must match each text in one way only"
        yield Problem.at(node.place, pointer(path), message, hint)


def _pointer(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    try:
        parse_pointer(text)
    except ValueError as error:
        hint = f"/{text}" if not text.startswith("/") else ""
        yield Problem.at(node.place, pointer(path), f"not a JSON pointer: {text!r}: {error}", hint)


def _lock(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    """A lock on what no profile can say would lock nothing."""
    if wrong := list(_pointer(path, node, text)):
        yield from wrong
        return
    schema: Schema | None = profile_schema()
    for part in parse_pointer(text):
        known = schema or {}
        schema = sub_schema(known, int(part) if "items" in known and part.isdecimal() else part)
        if schema is None or (known is profile_schema() and part in KEYS_OF_FILES):
            hint = nearest(part, [key for key in known.get("properties", ()) if key not in KEYS_OF_FILES])
            message = f"locks nothing: no profile can have {text!r}"
            yield Problem.at(node.place, pointer(path), message, hint)
            return


_SIMPLE_SPECIFIER = re.compile(r"(>=|<=|>|<|==|!=) ?\d+(\.\d+)*(, ?(>=|<=|>|<|==|!=) ?\d+(\.\d+)*)*\Z")


def _specifier(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    if _SIMPLE_SPECIFIER.match(text):
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        yield Problem.at(
            node.place, pointer(path), f"not a range of versions: {text!r}", 'a PEP 440 range like ">=1.0,<2"'
        )


def _version(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    from packaging.version import InvalidVersion, Version

    from kitty_run import __version__

    try:
        if Version(text) > Version(__version__):
            message = f"needs kitty-run {text} or later, this is {__version__}"
            yield Problem.at(node.place, pointer(path), message, f"install kitty-run>={text}")
    except InvalidVersion:
        yield Problem.at(node.place, pointer(path), f"not a version: {text!r}", 'like "0.1.0"')


def _size(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    try:
        size(text)
    except ValueError as error:
        yield Problem.at(node.place, pointer(path), str(error), "like 200kB, and at most 10MB")


def _memory(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    try:
        memory_size(text)
    except ValueError as error:
        yield Problem.at(node.place, pointer(path), str(error), "like 8GiB or 500MB")


def _host(path: Path, node: ScalarNode, text: str) -> Iterator[Problem]:
    try:
        host_rule(text)
    except ValueError as error:
        yield Problem.at(node.place, pointer(path), f"not a host to let through: {text!r}", str(error))


_Check = Callable[[Path, ScalarNode, str], Iterator[Problem]]
_KINDS: dict[str, _Check] = {
    "regex": _regex,
    "pointer": _pointer,
    "lock": _lock,
    "specifier": _specifier,
    "version": _version,
    "size": _size,
    "host": _host,
    "memory": _memory,
}
