"""`kitty-run init [FILE]`: write a first profile for this repository and the agents installed."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_run.errors import ExitStatus, UsageError
from kitty_run.text.commands import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from kitty_run.profile.views.init import Preset

SCHEMA = "kitty-run.schema.json"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="write a first profile for this repository and the agents installed",
        description="Write a first profile. On a terminal it asks what the options don't say.",
    )
    parser.add_argument("file", nargs="?", type=Path, default=Path("kitty-run.yaml"), metavar="FILE")
    parser.add_argument(
        "--preset", action="append", default=[], metavar="NAME", help="an agent that implements, in order"
    )
    parser.add_argument(
        "--review", action="append", default=[], metavar="NAME", help="an agent that reviews, in order"
    )
    parser.add_argument("--mission", "--feature", metavar="SLUG", help="default: the only one there is")
    parser.add_argument(
        "--check", action="append", metavar="COMMAND", help="a command that must succeed before a review"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask, take what is found")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Write the profile and the schema for editors beside it; nothing is ever overwritten."""
    from kitty_run.profile.load import check
    from kitty_run.profile.validation.problems import ProfileInvalid
    from kitty_run.profile.views.init import Answers, starter
    from kitty_run.resources import schema_path

    file: Path = options.file
    if file.exists():
        raise UsageError(f"{file} exists already; name another FILE, or remove it")
    ask = _ask if sys.stdin.isatty() and not options.yes else _take
    implement = _implementers(options, ask)
    answers = Answers(
        name=Path.cwd().name or "profile",
        implement=implement,
        review=_reviewers(options, implement),
        mission=_mission(options, ask),
        checks=_checks(options, ask),
    )
    text = starter(answers, SCHEMA)
    _write(file, text)
    try:
        check(file)
    except ProfileInvalid:
        file.unlink()
        raise
    schema = file.parent / SCHEMA
    if not schema.exists():
        _write(schema, schema_path("profile").read_text(encoding="utf-8"))
    sys.stderr.write(f"wrote {file} and {schema}. Next: {command('kitty-run', 'plan', file)}\n")
    return ExitStatus.OK


def _implementers(options: argparse.Namespace, ask: Callable[[str, str], str]) -> tuple[Preset, ...]:
    from kitty_run.profile.extends.layers import preset_names
    from kitty_run.profile.views.init import agent_preset, installed

    names = list(options.preset)
    if not names:
        found = [preset.name for preset in installed()]
        names = ask("Agents that implement, in order", " ".join(found)).replace(",", " ").split()
    if not names:
        known = ", ".join(preset_names())
        raise UsageError(f"no agent is on PATH; name one with --preset NAME, of {known}")
    return tuple(agent_preset(name) for name in names)


def _reviewers(options: argparse.Namespace, implement: tuple[Preset, ...]) -> tuple[Preset, ...]:
    """Those named; else the implementers, the last first, so that another one reviews than implements."""
    from kitty_run.profile.views.init import agent_preset

    return tuple(agent_preset(name) for name in options.review) or tuple(reversed(implement))


def _mission(options: argparse.Namespace, ask: Callable[[str, str], str]) -> str | None:
    from kitty_run.profile.views.init import missions

    if options.mission:
        return str(options.mission)
    found = missions(Path.cwd())
    default = found[0] if len(found) == 1 else ""
    return ask(f"Mission ({', '.join(found)})" if found else "Mission", default) or None


def _checks(options: argparse.Namespace, ask: Callable[[str, str], str]) -> tuple[tuple[str, ...], ...]:
    from kitty_run.profile.views.init import likely_checks

    if options.check is not None:
        return tuple(_split(text) for text in options.check if text)
    default = "; ".join(shlex.join(command) for command in likely_checks(Path.cwd()))
    asked = ask("Checks before a review, separated by ;", default)
    return tuple(_split(text) for text in asked.split(";") if text.strip())


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"the check {text!r}: {error}") from error


def _ask(question: str, default: str) -> str:
    """The answer of the person at the terminal; an empty one takes the default."""
    sys.stderr.write(f"{question}{f' [{default}]' if default else ''}: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or default


def _take(_question: str, default: str) -> str:
    return default


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from error
