"""`kitty-run explain PROFILE [POINTER]`: where each value came from, and what a retry row would do."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from kitty_run.cli.options import add_overrides, override
from kitty_run.errors import ExitStatus, UsageError


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("explain", help="show where each value of a profile came from")
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the YAML profile")
    parser.add_argument(
        "pointer", nargs="?", metavar="POINTER", help="one value, such as /policy/network_mode"
    )
    parser.add_argument(
        "--retry", metavar="TABLE:KEY", help="what a failure would lead to, such as agent:rate_limited"
    )
    add_overrides(parser, "with one value of the profile changed")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Explain, on standard output."""
    from kitty_run.profile.load import load
    from kitty_run.profile.views.explain import as_yaml, values

    if options.retry and options.pointer:
        raise UsageError("explain either a POINTER or --retry TABLE:KEY, not both")
    loaded = load(options.profile, tuple(override(text) for text in options.overrides))
    if options.retry:
        from kitty_run.cli.retry_forecast import forecast, forecast_text

        future = forecast(loaded, options.retry)
        _write(future.record() if options.json else forecast_text(future))
    elif options.pointer is not None:
        from kitty_run.profile.views.explain import history, history_record, history_text

        form = history_record if options.json else history_text
        _write(form(options.pointer, loaded, history(loaded, options.pointer)))
    else:
        _write(values(loaded) if options.json else as_yaml(loaded))
    return ExitStatus.OK


def _write(what: object) -> None:
    text = what if isinstance(what, str) else json.dumps(what, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(text)
