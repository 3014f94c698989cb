"""`kitty-run` as its users start it, but within the test's process: no interpreter has to start for it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from kitty_run.cli.main import main
from loguru import logger

SHOWN = {"NO_COLOR": "1", "TZ": "UTC", "COLUMNS": "200"}


@dataclass(frozen=True)
class Done:
    """A command line that was run to its end."""

    status: int
    out: str
    err: str


def kitty_run(*words: str, cwd: Path, env: Mapping[str, str] | None = None) -> Done:
    """`kitty-run WORDS` in `cwd`, without a terminal; `env` is its whole environment (default: the test's).

    What is about signals, closed streams or the start itself starts a process of its own instead.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), _environment(env), _streams(out, err):
        try:
            status = main(words)
        except SystemExit as end:  # the parser's
            status = end.code if isinstance(end.code, int) else 1
    return Done(int(status), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _environment(env: Mapping[str, str] | None) -> Iterator[None]:
    with mock.patch.dict(os.environ, {**(os.environ if env is None else env), **SHOWN}, clear=True):
        yield


@contextlib.contextmanager
def _streams(out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    sink = logger.add(err)
    try:
        with (
            Path(os.devnull).open(encoding="utf-8") as nothing,
            mock.patch.object(sys, "stdin", nothing),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            yield
    finally:
        logger.remove(sink)
