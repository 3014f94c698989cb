"""Part of the warm host: the end of a forked child whose script has come to its own.

At its end the interpreter takes all modules apart, nearly all of which a child has only inherited: a quarter
to a third of a call's time. Here the rest of that end is done, in the interpreter's order: threads are waited
for, exit hooks run, files are flushed. Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

FLUSH_FAILED = 120
"""The interpreter's own exit status where what was printed could not be written."""

_WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def run_to_its_end(run: Callable[[], None], in_child: Callable[[], bool]) -> None:
    """`run`; where it ends in a forked child as scripts do, that process ends here, too.

    An exception, or an exit with a message, is left to the interpreter, which prints it.
    """
    try:
        run()
    except SystemExit as end:
        status = 0 if end.code is None else end.code
        if not in_child() or not isinstance(status, int):
            raise
    else:
        status = 0
    if in_child():
        _leave(status)


def _leave(status: int) -> NoReturn:
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for file in _own_files():
        _flush(file)
    written = [_flush(stream, report=stream is sys.stdout) for stream in (sys.stdout, sys.stderr)]
    os._exit(status & 0xFF if all(written) else FLUSH_FAILED)


def _own_files() -> Iterator[Any]:
    """Files that the child opened and left open; what it inherited is frozen, and not among them."""
    return (thing for thing in gc.get_objects() if type(thing) in _WRITERS)


def _flush(file: Any, *, report: bool = False) -> bool:
    try:
        if file is not None and not file.closed:
            file.flush()
    except (OSError, ValueError) as error:
        if report:
            sys.stderr.write(f"Exception ignored in: {file!r}\n{type(error).__name__}: {error}\n")
        return False
    return True
