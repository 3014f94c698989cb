"""`kitty-run plan PROFILE`: what a run would do now; changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from kitty_run.cli.options import add_evaluate, add_mission, add_overrides, override
from kitty_run.errors import ExitStatus


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "plan",
        help="show what a run would do now; changes nothing",
        description="Show what a run would do now. Nothing is changed, and the host gets read-only "
        "calls, none at all without a mission.",
        epilog="Exit status: 0 nothing is in the way of a run, 1 something is, or BASE would refuse it, "
        "2 usage or profile, 3 host.",
    )
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the YAML profile")
    add_mission(parser)
    add_overrides(parser)
    add_evaluate(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Plan, and print the plan on standard output."""
    import asyncio

    from kitty_run.planner.mission_plan import make
    from kitty_run.planner.mission_reader import visit
    from kitty_run.profile.load import evaluate, load
    from kitty_run.report.plan import as_json, as_text
    from kitty_run.text.known import knowing

    overrides = tuple(override(text) for text in options.overrides)
    profile = load(options.profile, overrides).profile
    refused = evaluate(options.profile, options.evaluate, overrides) if options.evaluate else ()
    mission = options.mission or profile.mission
    seen = asyncio.run(visit(profile, options.repo, mission)) if mission else None
    sys.stderr.writelines(f"{notice}\n" for notice in (seen.notices if seen else ()))
    plan = make(profile, seen)
    with knowing(places=(options.repo.resolve(), mission or "")):
        sys.stdout.write(json.dumps(as_json(plan), indent=2) + "\n" if options.json else as_text(plan))
    sys.stderr.writelines(f"{problem}\n" for problem in refused)
    in_the_way = plan.mission is not None and plan.mission.problems
    return ExitStatus.INCOMPLETE if in_the_way or refused else ExitStatus.OK
