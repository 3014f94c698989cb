"""`kitty-run approve GATE` and `kitty-run reject GATE`: answer a gate of a waiting run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands."""
    for name, approved in (("approve", True), ("reject", False)):
        if name in subparsers.choices:
            continue
        parser = subparsers.add_parser(name, help=f"{name} a gate of a waiting run")
        parser.add_argument(
            "gate", metavar="GATE", help="as the run names it: start, accept, merge, done-WP01"
        )
        parser.add_argument(
            "--note", default="", metavar="TEXT", help="why; kept in the journal and in the host's history"
        )
        parser.add_argument(
            "--repo", type=Path, default=Path(), metavar="DIR", help="default: this directory"
        )
        parser.set_defaults(run=run, approved=approved)


def run(options: argparse.Namespace) -> ExitStatus:
    """Write the answer into the latest run that waits; raises UsageError where none waits for this gate."""
    import asyncio

    from kitty_run.cli.own_runs import RunReader
    from kitty_run.cli.terminal_prompt import person
    from kitty_run.engine.state.gate_answers import Answer, give, waiting
    from kitty_run.engine.state.run_directory import make_run
    from kitty_run.host.repository import main_checkout

    repo = asyncio.run(main_checkout(options.repo))
    reader = RunReader(repo)
    for place in reader.latest_first():
        gates = waiting(reader.entries(place))
        if options.gate in gates:
            make_run(repo, place.id)
            give(place, options.gate, Answer(options.approved, person(), options.note))
            word = "approved" if options.approved else "rejected"
            sys.stderr.write(
                f"{options.gate} of run {place.id}: {word}. Run the same profile again to continue.\n"
            )
            return ExitStatus.OK
        if gates:
            raise UsageError(f"run {place.id} waits at {', '.join(gates)}, not at {options.gate}")
    raise UsageError(f"no run in {repo} waits at a gate")
