"""Whether a CLI knows every option of every command line of its preset.

A CLI that refuses unknown options is asked itself: each command line is started with an option that nobody
knows at its end, and must be refused for that one alone, before it does anything. Where a CLI takes whatever
it is given, its help must name the options.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.agents.launch.environment import environment

from tests.real_agents.catalog import Entry
from tests.real_agents.installing import Installed
from tests.real_agents.presets import PROMPT, SESSION, Line, Preset, lines
from tests.real_agents.table import Row

TIMEOUT = 60.0
FIRST, LAST = "zz-unheard-of", "zz-known-to-none"
"""Names of options that no CLI has."""


def options(preset: Preset, entry: Entry, cli: Installed, folder: Path) -> Iterator[Row]:
    """One row: whether an option of the preset is gone."""
    (folder / "ws").mkdir()
    (folder / "prompt.md").write_text(PROMPT, encoding="utf-8")
    made = list(lines(preset, folder))
    used = sorted({item for line in made for item in _options(line.command.argv)})
    told = "".join(_said(cli, [entry.command, *words], folder) for words in entry.help)
    parser = _Parser(cli, folder, told)
    alone = parser.refusal(made[0])
    if alone:
        gone = {reason for line in made if (reason := parser.complaint(line, alone))}
        seen = f"{len(used)} options in {len(made)} command lines, known to its parser"
    else:
        gone = {option for option in used if not _named(option, told)}
        seen = f"{len(used)} options, all in its help; it takes unknown ones too"
    yield Row(preset.family, "options", not gone, f"gone: {'; '.join(sorted(gone))}" if gone else seen)


@dataclass(frozen=True, slots=True)
class _Parser:
    """The CLI's own parser; `told` is its help."""

    cli: Installed
    folder: Path
    told: str

    def refusal(self, line: Line) -> list[str]:
        """How it refuses an unknown option alone; empty where it does not, or not telling which of two."""
        head = line.agent.command
        alone = _about(self._answer(line, [*head, f"--{LAST}"]))
        rest = line.command.argv[len(head) :]
        both = _about(self._answer(line, [*head, f"--{FIRST}", *rest, f"--{LAST}"]))
        return [] if both == alone else alone

    def complaint(self, line: Line, alone: list[str]) -> str:
        """What it refuses of the line itself; empty where it is only the unknown option at its end.

        Some look for the session first, which is made up; then all options must be in the help.
        """
        text = self._answer(line, [*line.command.argv, f"--{LAST}"])
        if _about(text) == alone:
            return ""
        used = _options(line.command.argv)
        if SESSION in text and all(_named(option, self.told) for option in used):
            return ""
        return f"{_complaint(text)[:100]} (of `{' '.join(used)}`)"

    def _answer(self, line: Line, argv: Sequence[str]) -> str:
        line.command.write_files()
        source = {"PATH": self.cli.path, "HOME": str(self.folder), "TERM": "dumb"}
        env = {**environment(line.agent.env, line.command.env, {}, source), "NO_COLOR": "1"}
        return _said(self.cli, argv, self.folder / "ws", env)


def _options(argv: Sequence[str]) -> list[str]:
    return [item.split("=")[0] for item in argv if item.startswith("-") and len(item) > 1]


def _complaint(text: str) -> str:
    """The line of what a command says that tells most of what it refuses."""
    said = [item.strip() for item in text.splitlines() if item.strip()]
    errors = [item for item in said if "error" in item.lower()]
    return next(iter([*_about(text), *errors, *said]), "it says nothing")


def _about(text: str) -> list[str]:
    """The lines that name the unknown options."""
    return [item.strip() for item in text.splitlines() if FIRST in item or LAST in item]


def _said(cli: Installed, argv: Sequence[str], folder: Path, env: dict[str, str] | None = None) -> str:
    """What a command prints before it ends, both streams; nothing where it does not end soon."""
    env = env or {"PATH": cli.path, "HOME": str(folder), "TERM": "dumb", "NO_COLOR": "1"}
    try:
        ended = subprocess.run(
            [str(cli.directory / argv[0]), *argv[1:]],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return ended.stdout + ended.stderr


def _named(option: str, help_text: str) -> bool:
    words = help_text.replace(",", " ").replace("=", " ").replace("[", " ").replace("]", " ").split()
    return option in words or f"{option}:" in words
