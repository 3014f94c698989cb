"""`kitty-run report [RUN] [-o FILE]`: a run as one self-contained HTML page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "report",
        help="write a run as one HTML page: timeline, attempts, verdicts, costs, ends of logs",
        description="Write a run as one self-contained HTML page. It has the ends of the agents' logs in it, "
        "with what looks like a secret masked: look it through before you pass it on.",
        epilog="Exit status: 0 written, 2 there is no such run, or the file can't be written.",
    )
    parser.add_argument("run_id", nargs="?", metavar="RUN", help="its id; default: the latest")
    parser.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this directory")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: kitty-run-RUN.html here; - is stdout"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Write the page, and say where."""
    import asyncio
    from datetime import UTC, datetime

    from kitty_run.cli.commands.status import find_run
    from kitty_run.engine.state.journal import read
    from kitty_run.host.repository import main_checkout
    from kitty_run.report.html import page
    from kitty_run.report.liveness import life
    from kitty_run.report.status import follow

    place = find_run(asyncio.run(main_checkout(options.repo)), options.run_id)
    events = list(read(place.journal))
    if not events:
        raise UsageError(f"the journal of run {place.id} has no event yet")
    text = page(place.id, events, life(follow(place.id, events)), datetime.now(UTC))
    _write(options.output or Path(f"kitty-run-{place.id}.html"), text)
    return ExitStatus.OK


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
    sys.stderr.write(f"{path}\n")
