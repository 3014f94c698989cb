"""A profile's file to everything that is known of it: read, merged, checked, and built.

All problems of all its files are found before any is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kitty_run.errors import UsageError
from kitty_run.profile.extends.layers import Chain, Finder, Origin, defaults_layer
from kitty_run.profile.extends.locks import Locks
from kitty_run.profile.extends.merge import Layer, merge, merge_layers
from kitty_run.profile.extends.settings import settings_layer
from kitty_run.profile.extends.sources import GitSource
from kitty_run.profile.trust.assess import assess
from kitty_run.profile.trust.assurance import notes, too_low
from kitty_run.profile.trust.degree import AgentTrust
from kitty_run.profile.trust.refused import refuse
from kitty_run.profile.validation.cross_check import cross_check
from kitty_run.profile.validation.fast_check import fits
from kitty_run.profile.validation.field_check import check_fields
from kitty_run.profile.validation.policy import check_policy
from kitty_run.profile.validation.problems import Problem, ProfileInvalid
from kitty_run.profile.validation.schema import as_text, profile_schema, walk
from kitty_run.profile.yaml import tree
from kitty_run.profile.yaml.reader import Unreadable
from kitty_run.profile.yaml.tree import MapNode, map_entries, plain

if TYPE_CHECKING:
    from kitty_run.profile.model import Profile


@dataclass(frozen=True)
class Loaded:
    """A sound profile with where it came from.

    `resolved` is the merged tree, in which every value knows its place; `layers` are the files (and
    `--set`s) it was made of, the lowest first, the shipped defaults before all. `warnings` keep it from
    nothing, and are reported before it is used. `trust` says of each agent that a role uses who holds
    its policy.
    """

    profile: Profile
    resolved: MapNode
    layers: tuple[Layer, ...]
    warnings: tuple[Problem, ...] = ()
    trust: Mapping[str, AgentTrust] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """The lines that lower an agent's degree of trust."""
        return tuple(notes(self.resolved, self.trust))

    def document(self) -> dict[str, object]:
        """The resolved profile as plain data: a profile that extends nothing and says the same.

        Shipped retry rows that were removed are in it as None, so that they stay removed.
        """
        document = cast("dict[str, Any]", plain(self.resolved))
        shipped = cast("dict[str, Any]", plain(self.layers[0].root))["retry"]
        for table, rows in shipped.items():
            document["retry"][table] = dict.fromkeys(rows) | document["retry"][table]
        return document


def load(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Loaded:
    """Load the profile `path` with `overrides` (JSON pointer, YAML value) on top.

    Raises `ProfileInvalid` with every problem there is; reads files only, and starts nothing.
    """
    from kitty_run.profile.build import build

    resolved, layers = check(path, overrides)
    trust = assess(resolved)
    degrees = {name: one.degrees() for name, one in trust.items()}
    profile = replace(build(cast("dict[str, Any]", plain(resolved)), path), trust=degrees)
    return Loaded(profile, resolved, layers, tuple(_warnings(profile, resolved)), trust)


def _warnings(profile: Profile, resolved: MapNode) -> Iterator[Problem]:
    """What is allowed, but not what it looks like."""
    from kitty_run.profile.validation.unseen_limits import unseen

    for limit in unseen(profile):
        place = tree.value_place(resolved, limit.path)
        yield Problem.at(place, tree.pointer(limit.path), limit.message, limit.hint, "warning")


def evaluate(path: Path, base: str, overrides: Sequence[tuple[str, str]] = ()) -> tuple[Problem, ...]:
    """What the profile would be refused for besides, if it extended `base` before all else, as warnings.

    `base` is a file or a `git+` source. Raises UsageError where that can't be used.
    """
    from kitty_run.profile.extends.evaluate import base_layers

    try:
        under = base_layers(base)
    except (ProfileInvalid, ValueError) as error:
        raise UsageError(f"{base} can't be used as a base: {error}") from error
    before = set(_problems(path, overrides, []))
    found = sorted(set(_problems(path, overrides, under)) - before)
    return tuple(
        replace(one, severity="warning", message=f"{base} would refuse it: {one.message}") for one in found
    )


def _problems(path: Path, overrides: Sequence[tuple[str, str]], under: list[Layer]) -> tuple[Problem, ...]:
    try:
        check(path, overrides, under=under)
    except ProfileInvalid as error:
        return error.problems
    return ()


def check(
    path: Path,
    overrides: Sequence[tuple[str, str]] = (),
    finder: Finder | None = None,
    under: Sequence[Layer] = (),
) -> tuple[MapNode, tuple[Layer, ...]]:
    """The resolved tree of the profile `path` and its layers, without building it; raises like `load`.

    `finder` finds git sources; by default, as `kitty-run.lock` beside the profile pins them. `under` are
    layers below all of the profile's own (`evaluate`).
    """
    chain = Chain(finder or _Lazy(path))
    try:
        chain.add(Origin(path))
    except Unreadable as error:
        raise ProfileInvalid([error.problem]) from error
    problems, layers = chain.problems, list(chain.layers)
    for number, (pointer, value) in enumerate(overrides, 1):
        layer, wrong = settings_layer(number, pointer, value)
        problems += wrong
        layers += [layer] if layer else []
    if problems:
        damaged = {(problem.file, problem.pointer) for problem in problems}
        others = [problem for _, wrong in _sound_layers(layers) for problem in wrong]
        raise ProfileInvalid([*problems, *(p for p in others if (p.file, p.pointer) not in damaged)])
    if under:
        from kitty_run.profile.extends.evaluate import below

        layers = below(list(under), layers)
    return _resolve(layers)


class _Lazy:
    """The lock beside a profile, read only where the profile has git sources."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def tree(self, source: GitSource) -> Path:
        """As the lock pins it."""
        from kitty_run.profile.extends.lockfile import Locked, lock_path

        return Locked(lock_path(self._profile)).tree(source)


def _resolve(layers: list[Layer]) -> tuple[MapNode, tuple[Layer, ...]]:
    defaults = defaults_layer()
    root = merge_layers(defaults, layers)
    locks = Locks.of(defaults, layers)
    problems = list(locks.broken(root, layers))
    sound, wrong = _sound(locks.written(root), partial=False)
    problems += wrong
    for own, wrong in _sound_layers(layers):
        problems += [*wrong, *check_fields(sound, walk(own, profile_schema()))]
    agents = {name for name, _ in map_entries(root.get("agents"))}
    problems += cross_check(sound, agents)
    problems += check_policy(sound)
    problems += refuse(sound)
    problems += too_low(sound, assess(sound))
    if problems:
        raise ProfileInvalid(problems)
    return sound, (defaults, *layers)


def _sound_layers(layers: list[Layer]) -> list[tuple[MapNode, list[Problem]]]:
    """The user's files, each without what the schema doesn't allow, even where another file covers it up."""
    return [_sound(layer.root, partial=True) for layer in layers if not layer.source.shipped]


def _sound(root: MapNode, *, partial: bool) -> tuple[MapNode, list[Problem]]:
    """`root` without what the schema doesn't allow, and the problems that this is."""
    typed = tree.as_map(as_text(merge(None, root), profile_schema()))
    if fits(plain(typed), profile_schema(), partial=partial):
        return typed, []
    from kitty_run.profile.validation.schema_check import schema_problems

    found = list(schema_problems(typed, partial=partial))
    wrong = {path for path, _ in found}
    return tree.as_map(tree.without(typed, wrong)), [problem for _, problem in found]
