"""`kitty-run schema [NAME]`: print a JSON schema, for editors and other programs."""

from __future__ import annotations

import argparse
import sys

from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("schema", help="print a JSON schema")
    parser.add_argument("name", nargs="?", default="profile", metavar="NAME", help="default: profile")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Print it."""
    from kitty_run.resources import data_root, schema_path

    files = (data_root() / "schemas").glob("*.schema.json")
    names = sorted(path.name.removesuffix(".schema.json") for path in files)
    if options.name not in names:
        raise UsageError(f"unknown schema {options.name!r}; known: {', '.join(names)}")
    sys.stdout.write(schema_path(options.name).read_text(encoding="utf-8"))
    return ExitStatus.OK
