"""`kitty-run doctor [PROFILE]`: what works, what doesn't, and what to do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_run.cli.options import add_mission, add_overrides, override
from kitty_run.errors import ExitStatus

if TYPE_CHECKING:
    from kitty_run.doctor.finding import Finding


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check host, agents and policy, and say what to fix",
        description="Look at git, the repository, the host, and a profile's agents and policy. Programs are "
        "asked for their version, and the host gets read-only calls.",
        epilog="Exit status: 0 nothing is in the way of a run, 1 an agent is missing, 2 usage or profile, "
        "3 host.",
    )
    parser.add_argument("profile", type=Path, nargs="?", metavar="PROFILE", help="the YAML profile")
    add_mission(parser)
    add_overrides(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Examine; findings go to standard output as they are made."""
    import asyncio

    from kitty_run.doctor.finding import exit_status
    from kitty_run.doctor.findings_text import as_json, as_text, verdict

    def show(finding: Finding) -> None:
        if not options.json:
            sys.stdout.write(as_text(finding))
            sys.stdout.flush()

    findings = asyncio.run(_all(options, show))
    sys.stdout.write(json.dumps(as_json(findings), indent=2) + "\n" if options.json else verdict(findings))
    return exit_status(findings)


async def _all(options: argparse.Namespace, show: Callable[[Finding], None]) -> list[Finding]:
    from kitty_run.doctor.examine import Case, examine

    overrides = tuple(override(text) for text in options.overrides)
    findings = []
    async for finding in examine(Case(options.profile, overrides, options.mission, options.repo)):
        show(finding)
        findings.append(finding)
    return findings
