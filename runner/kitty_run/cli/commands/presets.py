"""`kitty-run presets [NAME]`: list the presets, or print one."""

from __future__ import annotations

import argparse
import sys

from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("presets", help="list the presets, or print one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the preset to print")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """List or print; `extends: [preset:NAME]` uses one."""
    from kitty_run.profile.extends.layers import preset_description, preset_names, preset_path

    names = preset_names()
    if options.name is None:
        width = max(map(len, names), default=0)
        sys.stdout.write("".join(f"{name:{width}}  {preset_description(name)}\n" for name in names))
        return ExitStatus.OK
    path = preset_path(options.name)
    if path is None:
        raise UsageError(f"unknown preset {options.name!r}; known: {', '.join(names)}")
    sys.stdout.write(path.read_text(encoding="utf-8"))
    return ExitStatus.OK
