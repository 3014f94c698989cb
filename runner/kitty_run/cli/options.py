"""Options that several commands share: which mission, which repository, which values are changed."""

from __future__ import annotations

import argparse
from pathlib import Path

from kitty_run.errors import UsageError

CHANGE = "change one value of the profile: --set /concurrency/work_packages=8"


def add_mission(parser: argparse.ArgumentParser) -> None:
    """Add `--mission` (or `--feature`) and `--repo`."""
    parser.add_argument("--mission", "--feature", metavar="SLUG", help="default: the profile's `mission`")
    parser.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this directory")


def add_overrides(parser: argparse.ArgumentParser, what: str = CHANGE) -> None:
    """Add `--set`, which may be given several times; its texts are read by `override`."""
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="POINTER=VALUE", help=what
    )


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add `--evaluate`."""
    parser.add_argument(
        "--evaluate",
        metavar="BASE",
        help="show what this base would refuse, if it were extended too: a file, or a git+ source",
    )


def override(text: str) -> tuple[str, str]:
    """`/concurrency/work_packages=8` as pointer and value; raises UsageError."""
    pointer, equals, value = text.partition("=")
    if not equals or not pointer.startswith("/"):
        raise UsageError(
            f"--set {text}: write it as --set /POINTER=VALUE, such as /concurrency/work_packages=8"
        )
    return pointer, value
