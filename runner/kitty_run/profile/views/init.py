"""A first profile: what is found in a repository and on PATH, and the commented YAML made of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitty_run.errors import UsageError
from kitty_run.profile.extends.layers import preset_names, preset_path
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.flags import bypasses
from kitty_run.profile.validation.nearest import nearest
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.profile.yaml.reader import open_source, read_document
from kitty_run.profile.yaml.tree import plain

_CHECKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("pyproject.toml", "pytest", ("pytest", "-q")),
    ("package.json", '"test"', ("npm", "test")),
    ("Cargo.toml", "", ("cargo", "test")),
    ("go.mod", "", ("go", "test", "./...")),
    ("Makefile", "\ntest:", ("make", "test")),
)
"""A file at the repository's root, a text in it, and the check that they speak for."""


@dataclass(frozen=True, slots=True)
class Preset:
    """An agent preset: its agent's command and `enforce` table, and the bypasses it can't do without."""

    name: str
    agent: str
    family: str
    command: str
    enforce: Mapping[str, Mapping[str, Any]]
    dangerous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first profile is made of."""

    name: str
    implement: tuple[Preset, ...]
    review: tuple[Preset, ...]
    mission: str | None
    checks: tuple[tuple[str, ...], ...]


def agent_preset(name: str) -> Preset:
    """The preset `name`; raises UsageError where there is none, or it isn't one agent's."""
    path = preset_path(name)
    if path is None:
        raise UsageError(f"unknown preset {name!r} ({nearest(name, preset_names())})")
    root, _ = read_document(open_source(path, shipped=True))
    agents: Any = plain(root).get("agents", {}) if root else {}  # type: ignore[attr-defined]
    if len(agents) != 1:
        raise UsageError(f"the preset {name!r} is not one agent's: extend it in a profile of your own")
    agent, table = next(iter(agents.items()))
    family, argv = table.get("family", agent), [*map(str, table["command"]), *map(str, table.get("args", ()))]
    found = (rule for rule in bypasses() if rule.concerns({family, argv[0]}) and rule.found_in(argv))
    dangerous = tuple(rule.name for rule in found)
    return Preset(name, agent, family, argv[0], table.get("enforce", {}), dangerous)


def installed(path: str | None = None) -> list[Preset]:
    """The agent presets whose command is on PATH."""
    presets = (agent_preset(name) for name in preset_names())
    return [preset for preset in presets if shutil.which(preset.command, path=path)]


def missions(repository: Path) -> list[str]:
    """The missions that a repository has."""
    return sorted(path.name for path in (repository / "kitty-specs").glob("*") if path.is_dir())


def likely_checks(repository: Path) -> list[tuple[str, ...]]:
    """The first check that the repository's own files speak for."""
    for name, text, command in _CHECKS:
        file = repository / name
        if file.is_file() and text in file.read_text(encoding="utf-8", errors="replace"):
            return [command]
    return []


def policy_for(presets: Sequence[Preset]) -> dict[str, str]:
    """The strictest policy that every one of `presets` can keep; raises UsageError where there is none."""
    policy, fields = {}, profile_schema()["properties"]["policy"]["properties"]
    for axis in (name for name in fields if name in policy_axes()):
        values = policy_axes()[axis].preferred
        kept = [value for value in values if all(value in each.enforce.get(axis, {}) for each in presets)]
        if not kept:
            names = " and ".join(sorted({preset.name for preset in presets}))
            raise UsageError(f"{names} keep no {axis} in common; choose other agents")
        policy[axis] = kept[0]
    return policy


def starter(answers: Answers, schema: str) -> str:
    """The profile, with the modeline that names the file `schema`."""
    used = {preset.name: preset for preset in (*answers.implement, *answers.review)}
    policy = policy_for(list(used.values()))
    independent = len({preset.family for preset in answers.review}) > 1
    return "".join(
        [
            f"# yaml-language-server: $schema={schema}\n",
            "# `kitty-run validate` checks this file, `kitty-run explain` shows what it comes to,\n",
            "# `kitty-run plan` what a run would do. Every key is described in the schema: hover over it.\n",
            "version: 1\n",
            f"name: {json.dumps(answers.name)}\n",
            f"extends: [{', '.join(f'preset:{name}' for name in used)}] # the agents' command lines\n",
            f"mission: {json.dumps(answers.mission)} # or --mission\n" if answers.mission else "",
            "\npolicy: # declared to the host, and kept by the agents' command lines\n",
            *(f"  {axis}: {value} # {_others(axis)}\n" for axis, value in policy.items()),
            *_dangerous(list(used.values())),
            "\nroles:\n  implement:\n",
            f"    agents: [{_names(answers.implement)}] # the next is the fallback\n",
            *_checks(answers.checks),
            "  review:\n",
            f"    agents: [{_names(answers.review)}]\n",
            "    independent: true # never the family that implemented the work package\n"
            if independent
            else "",
            "\nconcurrency:\n  work_packages: 2 # at once\n",
            "\nlimits: # at a limit the run pauses\n  wall_clock: 6h\n  # cost_usd: 20\n",
            "\nfinish:\n  accept: true\n",
            "  merge: {strategy: merge, push: false} # or false: a person merges\n",
        ]
    )


def _names(presets: Sequence[Preset]) -> str:
    return ", ".join(preset.agent for preset in presets)


def _dangerous(presets: Sequence[Preset]) -> list[str]:
    flags = sorted({flag for preset in presets for flag in preset.dangerous})
    return [f"  dangerous_flags: {json.dumps(flags)} # without them it doesn't run alone\n"] if flags else []


def _others(axis: str) -> str:
    return " | ".join(policy_axes()[axis].preferred)


def _checks(commands: Sequence[Sequence[str]]) -> list[str]:
    if not commands:
        return [
            "    # checks: # run before every review\n",
            "    #   - {name: tests, command: [make, test]}\n",
        ]
    names = [command[0] if len(commands) > 1 else "tests" for command in commands]
    rows = zip(names, commands, strict=True)
    return [
        "    checks: # run before every review\n",
        *(
            f"      - {{name: {json.dumps(name)}, command: {json.dumps(list(command))}}}\n"
            for name, command in rows
        ),
    ]
