"""Asking a person at the terminal to answer a gate, while the run continues."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys

from kitty_run.engine.state.gate_answers import Answer

YES = frozenset({"y", "yes"})
NO = frozenset({"n", "no"})


class TerminalAsker:
    """Asks one question at a time on standard error, and reads the answer from standard input.

    An answer is `y` or `n`, and whatever follows it is the note.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def ask(self, gate: str, about: str) -> Answer:
        """See `Asker`; asks again until it is a yes or a no. Never ends where standard input has ended."""
        async with self._turn:
            while True:
                sys.stderr.write(f"{about}: gate {gate}: continue? [y/n, and a note if you like] ")
                sys.stderr.flush()
                word, _, note = (await _line()).strip().partition(" ")
                if word.lower() in YES | NO:
                    return Answer(word.lower() in YES, person(), note.strip())


def person() -> str:
    """Who sits here: the name of the user, or the number of one that has no name (in a container, say)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _line() -> str:
    """The next line of standard input, read without a thread so that a signal can end the waiting."""
    loop = asyncio.get_running_loop()
    file = sys.stdin.fileno()
    ready: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        text = os.read(file, 4096).decode(errors="replace")
        if not text:
            loop.remove_reader(file)  # end of input: nobody will answer here any more
        elif not ready.done():
            ready.set_result(text)

    loop.add_reader(file, read)
    try:
        return await ready
    finally:
        loop.remove_reader(file)


def terminal_asker() -> TerminalAsker | None:
    """An asker where a person sits: standard input and standard error are a terminal."""
    return TerminalAsker() if sys.stdin.isatty() and sys.stderr.isatty() else None
