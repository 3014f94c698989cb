"""The command `kitty-run`: picks the command, runs it, and turns errors into exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from kitty_run import __version__
from kitty_run.cli.streams import open_missing
from kitty_run.errors import ExitStatus, KittyRunError
from kitty_run.text.clean import shortened
from kitty_run.text.known import knowing

COMMANDS: dict[str, str] = {
    "run": "run a mission to its end; `kitty-run PROFILE` is short for it",
    "validate": "check profiles without starting anything",
    "plan": "show what a run would do now; changes nothing",
    "explain": "show the resolved profile, each value with the file and line that it came from",
    "classify": "show how an agent's exit and output are classified, and by which rule",
    "init": "write a first profile for this repository and the agents installed",
    "presets": "list the presets, or print one",
    "lock": "pin the git sources of a profile's `extends`",
    "schema": "print a JSON schema",
    "doctor": "check host, agents and policy, and say what to fix",
    "status": "show the latest run, from its journal",
    "report": "write a run as one HTML page: timeline, attempts, verdicts, costs, ends of logs",
    "approve": "answer a gate of a waiting run with yes",
    "reject": "answer a gate of a waiting run with no",
    "demo": "run a small real mission with scripted agents, from nothing to merged code",
}
"""Every command, with its line of help; each is a module of `commands` with an `add` function."""

_MODULES = {"reject": "approve"}

ERROR_ROOM = 100_000
"""Characters of an error that are printed: a profile may have many problems, a host endless words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (default: those of the process); returns the exit status."""
    open_missing()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] in (["--version"], ["-V"]):
        sys.stdout.write(f"kitty-run {__version__}\n")
        return ExitStatus.OK
    if hint := _mistyped(words):
        sys.stderr.write(f"kitty-run: {hint}\n")
        return int(ExitStatus.USAGE)
    options = _parser(words).parse_args(_with_command(words))
    run: Callable[[argparse.Namespace], int] = options.run
    with knowing(places=_own_places(words)):
        try:
            return int(run(options))
        except KittyRunError as error:
            sys.stderr.write(f"kitty-run: {shortened(str(error), ERROR_ROOM)}\n")
            return int(error.exit_status)
        except KeyboardInterrupt:
            sys.stderr.write("kitty-run: interrupted\n")
            return int(ExitStatus.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the one place that reports a bug
            return _bug(error, words)


def _own_places(words: Sequence[str]) -> set[str]:
    """Where this command works, as the person's shell names it, before anything else could name a place."""
    variables = ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    named = [os.environ.get(name, "") for name in variables] + [word for word in words if os.sep in word]
    there = [place for place in named if place and os.path.lexists(place)]
    with suppress(OSError):  # it was removed under us: the command itself says so
        there.append(str(Path.cwd()))
    return {*there, *map(os.path.abspath, there), *map(os.path.realpath, there)}


def _bug(error: Exception, words: Sequence[str]) -> int:
    """Report an error that nobody expected, with all that an issue needs."""
    import platform
    import traceback

    text = "".join(traceback.format_exception(error))
    sys.stderr.write(
        f"kitty-run: unexpected error, which is a bug: {shortened(repr(error))}\n{shortened(text)}"
        f"kitty-run {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command line: kitty-run {' '.join(words)}\n"
        "Nothing was forced, and the journal has every step so far: the same command continues from there. "
        "Please report this with the lines above.\n"
    )
    return int(ExitStatus.BUG)


def _with_command(words: list[str]) -> list[str]:
    """The command line with `run` put before a profile in a command's place."""
    first = next((word for word in words if not word.startswith("-")), None)
    if first is None or first in COMMANDS or words[:1] in (["-h"], ["--help"]):
        return words
    return ["run", *words]


def _mistyped(words: Sequence[str]) -> str:
    """The message about a first word that is no file, and nearly a command; else nothing."""
    first = words[0] if words and not words[0].startswith("-") else None
    if first is None or first in COMMANDS or Path(first).exists():
        return ""
    from difflib import get_close_matches

    close = get_close_matches(first, COMMANDS, 1)
    return f"{first!r} is neither a command nor a file; did you mean `kitty-run {close[0]}`?" if close else ""


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of the one command that is used: the others' modules stay unread."""
    parser = argparse.ArgumentParser(
        prog="kitty-run",
        usage="kitty-run PROFILE [--mission SLUG] [options]\n       kitty-run COMMAND ...",
        description="Drive a spec-kitty mission with coding agents, as a YAML profile says.",
        epilog="Exit status: 0 done, 1 some work packages are not, 2 usage or profile, 3 host, 4 paused "
        "(a gate or a limit), 130 interrupted. `kitty-run COMMAND --help` shows a command's options.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"kitty-run {__version__}")
    subparsers = parser.add_subparsers(prog="kitty-run", dest="command", metavar="COMMAND", required=True)
    used = next((word for word in _with_command(words) if not word.startswith("-")), None)
    for name, line in COMMANDS.items():
        if name == used:
            import_module(f"kitty_run.cli.commands.{_MODULES.get(name, name)}").add(subparsers)
        elif name not in subparsers.choices:
            subparsers.add_parser(name, help=line)
    return parser
