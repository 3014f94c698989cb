"""`kitty-run validate PROFILE...`: every problem of every profile, before anything is started."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kitty_run.cli.options import add_evaluate
from kitty_run.errors import ExitStatus


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "validate",
        help="check profiles without starting anything",
        epilog="Exit status: 0 all are valid, 1 BASE of --evaluate would refuse one, 2 one is not valid.",
    )
    parser.add_argument("profiles", type=Path, nargs="+", metavar="PROFILE", help="a YAML profile")
    add_evaluate(parser)
    parser.add_argument("--format", choices=["text", "json", "github"], default="text", help="default: text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Check; text goes to standard error, json and github to standard output.

    Warnings and notes change no status, but for what `--evaluate` finds.
    """
    from kitty_run.profile.load import evaluate, load
    from kitty_run.profile.validation.problems import Problem, ProfileInvalid
    from kitty_run.profile.views.show import show

    problems: set[Problem] = set()
    refused: set[Problem] = set()
    for path in options.profiles:
        try:
            loaded = load(path)
        except ProfileInvalid as error:
            problems.update(error.problems)
        else:
            problems.update((*loaded.warnings, *loaded.notes))
            refused.update(evaluate(path, options.evaluate) if options.evaluate else ())
            if options.format == "text":
                sys.stdout.write(f"{path}: valid\n")
    show(sorted(problems | refused), options.format)
    if any(problem.severity == "error" for problem in problems):
        return ExitStatus.USAGE
    return ExitStatus.INCOMPLETE if refused else ExitStatus.OK
