"""The process's own streams, which may be closed, or whose reader may be gone: neither ends a run."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_missing() -> None:
    """Put the null device where a standard stream is closed, so that no later file takes its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(file, True)
            setattr(sys, name, open(file, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def say(stream: TextIO, text: str) -> None:
    """Write `text`; where nobody reads any more, silence the stream instead of failing."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())  # what is buffered still goes somewhere when Python exits
        os.close(null)
