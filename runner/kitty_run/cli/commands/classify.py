"""`kitty-run classify PROFILE AGENT`: how a recorded end of an agent is classified, and by which rule."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kitty_run.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kitty_run.agents.model import Ending, Exit, Outcome
    from kitty_run.profile.model import Agent
    from kitty_run.profile.prices import Price

ENDINGS = ("exit", "signal", "timeout", "idle", "not_installed")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "classify", help="show how an agent's exit and output are classified, and by which rule"
    )
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="a YAML profile")
    parser.add_argument("agent", metavar="AGENT", help="the name of an agent in it")
    parser.add_argument("--exit-status", type=int, metavar="N", help="the exit status (default: 0)")
    parser.add_argument("--signal", type=int, metavar="N", help="the signal that ended it instead")
    parser.add_argument("--ending", choices=ENDINGS, help="how it ended, where that is no exit status")
    parser.add_argument("--stdout", type=Path, metavar="FILE", help="its standard output")
    parser.add_argument("--stderr", type=Path, metavar="FILE", help="its standard error")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Classify as a run would, reading the files as an attempt's logs; starts nothing."""
    from datetime import datetime

    from kitty_run.agents.results.outcome import classify
    from kitty_run.agents.results.time_zones import LOCAL
    from kitty_run.profile.load import load
    from kitty_run.profile.validation.nearest import nearest

    profile = load(options.profile).profile
    agents = profile.agents
    if options.agent not in agents:
        hint = nearest(options.agent, sorted(agents))
        raise UsageError(f"{options.profile} has no agent {options.agent!r} ({hint})")
    agent = agents[options.agent]
    outcome = classify(agent, _exit(options), datetime.now(LOCAL))
    record = _record(agent, outcome, profile.prices)
    sys.stdout.write(json.dumps(record, indent=2) + "\n" if options.json else _text(record))
    return ExitStatus.OK


def _exit(options: argparse.Namespace) -> Exit:
    from kitty_run.agents.model import Exit

    for path in (options.stdout, options.stderr):
        if path is not None:
            _check_readable(path)
    nothing = Path("/dev/null")
    ending = _ending(options)
    return Exit(
        ending=ending,
        status=(options.exit_status or 0) if ending == "exit" else None,
        signal=options.signal,
        seconds=0.0,
        stdout=options.stdout or nothing,
        stderr=options.stderr or nothing,
    )


def _ending(options: argparse.Namespace) -> Ending:
    """How it ended, by the options; raises `UsageError` where they contradict each other."""
    implied: list[Ending] = []
    implied += ["exit"] if options.exit_status is not None else []
    implied += ["signal"] if options.signal is not None else []
    ending: Ending = options.ending or (implied[0] if implied else "exit")
    if any(one != ending for one in implied):
        raise UsageError("it ended in one way only: give one of --exit-status, --signal and --ending")
    return ending


def _check_readable(path: Path) -> None:
    """A log is read more than once, and a missing one reads as empty: so the file is checked first."""
    if not path.is_file():
        raise UsageError(f"{path} is not a file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error


def _record(agent: Agent, outcome: Outcome, prices: Mapping[str, Price]) -> dict[str, object]:
    """The outcome as plain data; None is unknown."""
    from kitty_run.agents.model import added
    from kitty_run.engine.decisions.cost import used
    from kitty_run.text.clean import clean

    own = used(outcome, agent.output.totals, (), prices)
    tokens = added(own.models)
    return {
        "agent": agent.name,
        "outcome": outcome.failure or "success",
        "rule": clean(outcome.rule),
        "resets_at": None if outcome.resets_at is None else outcome.resets_at.isoformat(),
        "message": None if outcome.message is None else clean(outcome.message),
        "session": outcome.session,
        "cost_usd": own.cost_usd,
        "cost_source": own.source,
        "model": ", ".join(one.model or "unknown" for one in own.models) or None,
        "input_tokens": tokens.input_tokens,
        "cached_tokens": tokens.cached_tokens,
        "output_tokens": tokens.output_tokens,
    }


def _text(record: dict[str, object]) -> str:
    lines = []
    for name, value in record.items():
        text = "unknown" if value is None else str(value)
        first, *more = text.splitlines() or [""]
        lines.append(f"{name + ':':14} {first}{f' (and {len(more)} more lines)' if more else ''}\n")
    return "".join(lines)
