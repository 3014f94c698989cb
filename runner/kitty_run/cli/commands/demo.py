"""`kitty-run demo`: a small real mission on a real host, by scripted agents, from nothing to merged code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from kitty_run.errors import ExitStatus
from kitty_run.text.commands import command

if TYPE_CHECKING:
    from kitty_run.demo.stage import Stage
    from kitty_run.engine.state.events import Entry
    from kitty_run.engine.state.session_report import Report

TOPOLOGIES = ("coord", "lanes", "single_branch", "legacy")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo",
        help="run a small real mission with scripted agents, from nothing to merged code",
        description="Install a spec-kitty host from PyPI (once), plan a mission of four work packages in a "
        "new git repository, and run it to merged code with scripted agents: no account, no cost. One work "
        "package has a bug at first; its reviewer finds it.",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where; default: a new temporary directory")
    parser.add_argument("--host", metavar="COMMAND", help="an installed spec-kitty to use instead")
    parser.add_argument("--hosts", type=Path, metavar="DIR", help="where hosts are installed (user's cache)")
    parser.add_argument("--topology", choices=TOPOLOGIES, help="the mission's shape (coord)")
    parser.add_argument("--play", choices=("implementer", "reviewer"), help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Run the demo; with `--play`, be one of its agents."""
    if options.play:
        return ExitStatus(import_module(f"kitty_run.demo.agents.{options.play}").main())
    from kitty_run.demo.stage import default_hosts, prepare

    stage = prepare(options.keep, options.hosts or default_hosts(), options.host, options.topology, _say)
    _take_on(stage.env)
    return _play(stage)


def _take_on(env: Mapping[str, str]) -> None:
    """Make `env` this process's environment, but for what Python itself was started with."""
    for name in os.environ.keys() - env.keys():
        if not name.startswith("PYTHON"):
            del os.environ[name]
    os.environ.update(env)


def _play(stage: Stage) -> ExitStatus:
    from kitty_run.demo.stage import profile_path, settings
    from kitty_run.engine.bootstrap import Request, launch
    from kitty_run.profile.load import load
    from kitty_run.report.live import Live
    from kitty_run.report.summary import as_text

    agents = (sys.executable, "-m", "kitty_run", "demo", "--play")
    loaded = load(profile_path(), settings(stage, agents))
    live, rejections = Live(sys.stderr), _Rejections()

    def show(entry: Entry) -> None:
        live.show(entry)
        rejections.see(entry)

    _say(f"running {profile_path()}")
    report = launch(Request(loaded, stage.project.mission, stage.project.root), show)
    sys.stderr.write(as_text(report))
    sys.stderr.write(_closing(stage, report, rejections))
    return report.exit_status


class _Rejections:
    """Collects what reviewers found, to be printed at the end."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def see(self, entry: Entry) -> None:
        """Take up a rejecting verdict's findings."""
        from kitty_run.engine.state.events import VerdictGiven

        verdict = entry.event
        if isinstance(verdict, VerdictGiven):
            self.found += [f"{verdict.wp}: {finding.message}" for finding in verdict.findings]


def _closing(stage: Stage, report: Report, rejections: _Rejections) -> str:
    project = stage.project.root
    if report.exit_status is not ExitStatus.OK:
        return f"\nThe demo failed. Its project and logs are kept in {stage.directory}\n"
    lines = [
        "",
        "What the reviewer found, and the implementer then fixed:",
        *[f"  {text}" for text in rejections.found],
        "",
        "What to do next:",
        f"  {command('cd', project)} && python3 -m texttools README.md    use what was built",
        f"  {command(_program(), 'status', '--repo', project)}    what happened, from the journal",
        f"  {command(_program(), 'init')}    in your own repository: a first profile for the agents you have",
    ]
    return "\n".join(lines) + "\n"


def _program() -> str:
    """How this program is called from here."""
    beside = Path(sys.executable).with_name("kitty-run")
    return "kitty-run" if which("kitty-run") or not beside.is_file() else str(beside)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
