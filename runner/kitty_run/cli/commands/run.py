"""`kitty-run PROFILE`: run a mission to its end; run again, it continues where it stopped."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from kitty_run.cli.options import add_mission, add_overrides, override
from kitty_run.cli.streams import say
from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("run", help="run a mission to its end")
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the YAML profile")
    add_mission(parser)
    add_overrides(parser)
    parser.add_argument("--yes", action="store_true", help="answer every gate with yes")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end, on stdout")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="only the end")
    loudness.add_argument("-v", "--verbose", action="store_true", help="every host call too")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Run; progress goes to standard error, the JSON report to standard output."""
    from kitty_run.agents.launch.environment import secrets_of
    from kitty_run.cli.terminal_prompt import terminal_asker
    from kitty_run.engine.bootstrap import Request, launch
    from kitty_run.profile.load import load
    from kitty_run.profile.model import AgentEnv
    from kitty_run.report.live import Level, Live
    from kitty_run.report.summary import as_json, as_text
    from kitty_run.text.known import knowing

    loaded = load(options.profile, tuple(override(text) for text in options.overrides))
    mission = options.mission or loaded.profile.mission
    if mission is None:
        raise UsageError(
            f"{options.profile}: no mission given. Use --mission SLUG, or `mission: SLUG` in the profile; "
            "the missions are the directories in kitty-specs/."
        )
    level: Level = "quiet" if options.quiet else "verbose" if options.verbose else "normal"
    live = Live(sys.stderr, level)
    asker = None if options.json else terminal_asker()
    setup = loaded.profile.workspace
    environments = [agent.env for agent in loaded.profile.agents.values()]
    secrets = secrets_of([*environments, AgentEnv(setup.env_pass, setup.env_set)])
    with knowing(secrets):
        report = launch(Request(loaded, mission, options.repo, options.yes, asker), live.show)
        with knowing(places=(report.repo, report.mission)):
            say(sys.stderr, as_text(report))
            if options.json:
                say(sys.stdout, json.dumps(as_json(report)) + "\n")
    return report.exit_status
