"""The lane rules of each dialect, as data, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from kitty_run.host.dialect_parse import parse_traits
from kitty_run.host.model import Lane, Traits
from kitty_run.resources import profiles_dir, read_yaml

Guards = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a command does (see `state.Command`), the options it must have, may have, and its switches.

    `operands`: whether it takes words that are no options.
    """

    does: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    operands: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """One generation's lane rules: which moves there are and what each needs (see the files beside this)."""

    dialect: str
    traits: Traits
    contract: str
    not_found: str
    not_ready: str
    message_with_data: bool
    last_actor: bool
    same_lane: Literal["no_op", "refused"]
    removed_satisfies: bool
    wants_evidence: bool
    at_root: tuple[str, ...]
    status_apart: tuple[str, ...]
    transitions: Mapping[Lane, Mapping[Lane, Guards]]
    policy_lanes: frozenset[Lane]
    strict_policy: bool
    start_from: frozenset[Lane]
    check_dependencies: bool
    review_to: Lane
    review_again: bool
    review_needs: Guards
    merge_strategies: tuple[str, ...]
    names_merged: bool
    selector: str
    switches: tuple[str, ...]
    commands: Mapping[str, CommandLine]
    plain: Mapping[tuple[str, ...], CommandLine]


@cache
def rules(dialect: str) -> Rules:
    """The rules of `dialect`; FileNotFoundError where there are none."""
    path = Path(__file__).with_name(f"{dialect}.yaml")
    table = _read(path)
    policy, start, review = (table.pop(key) for key in ("policy", "start_implementation", "start_review"))
    merge, moves, commands = (table.pop(key) for key in ("merge", "transitions", "commands"))
    plain = {tuple(words.split()): _command_line(entry) for words, entry in table.pop("plain").items()}
    shipped = _read(profiles_dir() / "hosts" / path.name)
    return Rules(
        dialect=dialect,
        traits=parse_traits(shipped["traits"], reserves="reserve" in shipped["operations"]),
        transitions={Lane(source): _targets(targets) for source, targets in moves.items()},
        policy_lanes=frozenset(Lane(lane) for lane in policy["lanes"]),
        strict_policy=policy["strict"],
        start_from=frozenset(Lane(lane) for lane in start["from"]),
        check_dependencies=start["check_dependencies"],
        review_to=Lane(review["to"]),
        review_again=review["again"],
        review_needs=tuple(review["needs"]),
        merge_strategies=tuple(merge["strategies"]),
        names_merged=merge["names_merged"],
        commands={name: _command_line(entry) for name, entry in commands.items()},
        plain=plain,
        switches=tuple(table.pop("switches")),
        at_root=tuple(table.pop("at_root")),
        status_apart=tuple(table.pop("status_apart")),
        **table,
    )


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(path)
    return found


def _targets(targets: Mapping[str, list[str]]) -> Mapping[Lane, Guards]:
    return {Lane(target): tuple(guards) for target, guards in targets.items()}


def _command_line(entry: dict[str, Any]) -> CommandLine:
    lists = {key: tuple(entry.get(key, ())) for key in ("needs", "takes", "switches")}
    return CommandLine(entry["does"], **lists, operands=entry.get("operands", False))
