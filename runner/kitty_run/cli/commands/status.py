"""`kitty-run status`: the latest run, from its journal."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_run.errors import ExitStatus

if TYPE_CHECKING:
    from kitty_run.report.status import RunStatus


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "status",
        help="show the latest run, from its journal",
        description="Show the run that was worked on last, or RUN. The host is not asked.",
        epilog="Exit status: 0 shown, 2 there is no such run.",
    )
    parser.add_argument("run_id", nargs="?", metavar="RUN", help="its id; default: the latest")
    parser.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this directory")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--watch", action="store_true", help="keep showing it until it ends")
    form.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Show it on standard output."""
    import asyncio
    from datetime import UTC, datetime

    from kitty_run.cli.own_runs import RunReader
    from kitty_run.engine.state.run_directory import HOME
    from kitty_run.host.repository import main_checkout
    from kitty_run.report.liveness import life, lock_holder
    from kitty_run.report.status import follow
    from kitty_run.report.status_text import as_json, as_text, lock_line
    from kitty_run.report.watch import watch
    from kitty_run.text.known import knowing

    repo = asyncio.run(main_checkout(options.repo))
    reader = RunReader(repo)
    place = reader.find(options.run_id)
    status = follow(place.id, reader.entries(place))
    with knowing(places=own_places(repo, status)):
        if options.watch:
            watch(place, sys.stdout, source=reader)
            return ExitStatus.OK
        lives, lock = life(status), lock_holder(repo / HOME / "lock")
        if options.json:
            sys.stdout.write(json.dumps(as_json(status, lives, place.directory, lock), indent=2) + "\n")
            return ExitStatus.OK
        sys.stdout.write(as_text(status, lives, place.directory, datetime.now(UTC)))
    sys.stdout.write(lock_line(lock) if lock else "")
    return ExitStatus.OK


def own_places(repo: Path, run: RunStatus) -> tuple[object, ...]:
    """The names in what is shown that lead somewhere, whatever they look like."""
    return (repo, run.mission, run.profile)
