"""Options and variables that touch policy outside of `enforce`, where nothing compares them with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kitty_run.profile.trust.changes import LISTS, arguments_of, place_of
from kitty_run.profile.trust.families import Family, families_of
from kitty_run.profile.trust.options import Found, is_template, touching
from kitty_run.profile.validation.flags import banned, bypasses
from kitty_run.profile.validation.problems import Problem
from kitty_run.profile.validation.used_agents import UsedAgent, scalars, used_agents
from kitty_run.profile.yaml.tree import MapNode, Path, find, list_items, map_entries, plain, pointer

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_SAFE = re.compile(
    r"\{\{\s*(session|prompt|prompt_file|workspace|verdict_file|run_id|attempt|cycle|role|files\.\w+)\s*\}\}"
)
"""What can't be an option; a session that begins with a dash is not resumed."""


def refuse(root: MapNode) -> Iterator[Problem]:
    """Where an agent that a role uses is given what only `enforce` may give it."""
    declared = {str(node.raw).replace("=", " ", 1) for _, node in scalars(find(root, _DANGEROUS), ())}
    for used in used_agents(root):
        for family in families_of(used.family, used.words):
            yield from _arguments(root, used, family, declared)
            yield from _variables(root, used, family, declared)


_DANGEROUS = ("policy", "dangerous_flags")
PROGRAM = (("command",), 0)
"""A template there is no option; `assess` says that nobody knows the program."""


def _arguments(root: MapNode, used: UsedAgent, family: Family, declared: set[str]) -> Iterator[Problem]:
    shipped = _pairs(family)
    for path, arguments, role in _lists(used):
        for number, argument in enumerate(arguments):
            if (argument, *arguments[number + 1 : number + 2]) in shipped or (argument,) in shipped:
                continue
            whole = (*used.path, *path, number)
            if _is_bypass(used, argument):
                continue
            found = touching(family, arguments, number)
            if (
                found
                and not (role and found.row.role)
                and not _is_declared(found, arguments, number, declared)
            ):
                yield _problem(root, used, whole, found, argument)
            elif not found and (path, number) != PROGRAM and _could_be_option(argument):
                message = f"{argument!r} may become any option in a run"
                hint = "write the option out, and let only its value be a template: --option={{ ... }}"
                yield Problem.at(place_of(root, used, whole), pointer(whole), message, hint)


def _lists(used: UsedAgent) -> Iterator[tuple[Path, list[str], bool]]:
    """The argument lists outside of `enforce`, and whether they are a role's."""
    paths: list[tuple[tuple[str, ...], bool]] = [(path, False) for path in LISTS]
    for role in used.roles:
        entry = find(used.node, ("roles", role))
        paths.append((("roles", role, "args") if isinstance(entry, MapNode) else ("roles", role), True))
    for path, of_role in paths:
        yield path, [str(plain(item)) for _, item in list_items(find(used.node, path))], of_role


def _pairs(family: Family) -> set[tuple[str, ...]]:
    """What the preset itself says outside of `enforce`: arguments alone, or with their value."""
    lists = [find(family.agent, path) for path in LISTS]
    lists += [arguments_of(entry.node) for _, entry in map_entries(find(family.agent, ("roles",)))]
    found: set[tuple[str, ...]] = set()
    for node in lists:
        items = [str(plain(item)) for _, item in list_items(node)]
        for number, item in enumerate(items):
            following = items[number + 1 : number + 2]
            valued = bool(following) and not following[0].startswith("-")
            found.add((item, *following) if valued else (item,))
    return found


def _is_bypass(used: UsedAgent, argument: str) -> bool:
    """Whether it is a flag that `dangerous_flags` must name, or that hosts ban: `check_policy` says so."""
    rules = (*banned(), *(rule for rule in bypasses() if rule.concerns(used.families)))
    return any(rule.found_in([argument]) for rule in rules)


def _is_declared(found: Found, arguments: Sequence[str], number: int, declared: set[str]) -> bool:
    """Whether `dangerous_flags` says that it is used."""
    value = arguments[number].partition("=")[2] or " ".join(arguments[number + 1 : number + 2])
    return not declared.isdisjoint({found.option, f"{found.option} {value}"})


def _problem(root: MapNode, used: UsedAgent, path: Path, found: Found, argument: str) -> Problem:
    written = "" if argument.partition("=")[0] == found.option else f" (written {argument!r})"
    message = (
        f"{found.name}{written} {found.row.why}: outside of `enforce` nothing compares it with the policy"
    )
    hint = f"put it into /agents/{used.name}/enforce for the values of the policy that it keeps, or remove it"
    return Problem.at(place_of(root, used, path), pointer(path), message, hint)


def _could_be_option(argument: str) -> bool:
    """Whether a template may make an option of it that is not written out."""
    if not is_template(argument):
        return False
    start = argument[: _TEMPLATE.search(argument).start()]  # type: ignore[union-attr]
    if start.startswith("-"):
        return "=" not in start
    return not start.strip() and not _SAFE.match(argument)


def _variables(root: MapNode, used: UsedAgent, family: Family, declared: set[str]) -> Iterator[Problem]:
    preset = {str(plain(item)) for _, item in list_items(find(family.agent, ("env", "pass")))}
    for path, name, value in _named(used):
        same = path[:2] == ("env", "set") and _plain(find(family.agent, path)) == value
        if name in preset or same or name in declared or not family.touches_variable(name):
            continue
        whole = (*used.path, *path)
        message = f"the variable {name} touches the policy of {family.name}: only `enforce` may set it"
        hint = (
            f"set it in /agents/{used.name}/enforce for the values of the policy that it keeps, or remove it"
        )
        yield Problem.at(place_of(root, used, whole), pointer(whole), message, hint)


def _named(used: UsedAgent) -> Iterator[tuple[Path, str, object]]:
    for number, item in list_items(find(used.node, ("env", "pass"))):
        yield ("env", "pass", number), str(plain(item)), None
    for base in (("env", "set"), *(("roles", role, "env") for role in used.roles)):
        for name, entry in map_entries(find(used.node, base)):
            yield (*base, name), name, plain(entry.node)


def _plain(node: object) -> object:
    return getattr(node, "value", None)
