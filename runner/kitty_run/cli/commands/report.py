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

    from kitty_run.cli.commands.status import own_places
    from kitty_run.cli.own_runs import RunReader
    from kitty_run.host.repository import main_checkout
    from kitty_run.report.html import page
    from kitty_run.report.liveness import life
    from kitty_run.report.status import follow
    from kitty_run.text.known import knowing

    repo = asyncio.run(main_checkout(options.repo))
    reader = RunReader(repo)
    place = reader.find(options.run_id)
    entries = reader.entries(place)
    if not entries:
        raise UsageError(f"the journal of run {place.id} has no event yet")
    run = follow(place.id, entries)
    with knowing(_secrets(place.profile), own_places(repo, run)):  # agents' logs are read as they are
        text = page(place.id, entries, life(run), datetime.now(UTC))
    _write(options.output or Path(f"kitty-run-{place.id}.html"), text)
    return ExitStatus.OK


def _secrets(profile: Path) -> list[str]:
    """The values, as they are here and now, of what the run's profile passes to agents."""
    import yaml

    from kitty_run.agents.launch.environment import secrets_of
    from kitty_run.profile.model import AgentEnv

    try:
        read = yaml.safe_load(profile.read_text(encoding="utf-8"))
        named = [*read["agents"].values(), read.get("workspace", {})]
        environments = [one.get("env", {}) for one in named]
        allowed = [AgentEnv(tuple(env.get("pass", ())), env.get("set", {})) for env in environments]
    except (OSError, ValueError, LookupError, AttributeError, TypeError, yaml.YAMLError):
        return []  # an older run's, or not whole: known shapes are masked all the same
    return list(secrets_of(allowed))


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
    sys.stderr.write(f"{path}\n")
