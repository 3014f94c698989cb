"""`kitty-run lock PROFILE`: pin the git sources of `extends` in `kitty-run.lock` beside the profile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kitty_run.errors import ExitStatus


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("lock", help="pin the git sources of a profile's `extends`")
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the YAML profile")
    parser.add_argument("--update", action="store_true", help="move pins to what the revisions are now")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> ExitStatus:
    """Fetch, pin, and list what moved; the difference of the resolved profile goes to standard output."""
    from kitty_run.profile.extends.lockfile import Locker, lock_path, read_lock, write_lock
    from kitty_run.profile.extends.relock import difference, moves, resolved_lines
    from kitty_run.profile.load import check

    path = lock_path(options.profile)
    old = {} if options.update and not path.exists() else read_lock(path)
    before = resolved_lines(options.profile)
    locker = Locker(old, options.update)
    check(options.profile, finder=locker)
    write_lock(path, {**old, **locker.found}.values())
    sys.stderr.write(moves(old, locker.found, path))
    if options.update and before is not None:
        sys.stdout.write(difference(before, resolved_lines(options.profile) or [], options.profile))
    return ExitStatus.OK
