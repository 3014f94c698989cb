"""The whole program on a machine that can't write one of its files: it pauses, and then continues."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import pytest
from kitty_run.errors import ExitStatus

from tests.cli.project import Project, make
from tests.failing_files import Files, plain
from tests.program import Done

pytestmark = pytest.mark.whole

CAUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.EACCES)
OUTSIDE = " kitty-run"
"""What names in the user's state directory begin with."""
MOST = 20
"""So many kinds at least must be seen, or else nothing was watched."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path / "repo")


def run(project: Project, *words: str) -> Done:
    return project.kitty_run(str(project.profile), "--mission", "demo", *words)


def test_no_file_of_the_start_that_cannot_be_written_is_more_than_a_pause(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of file that a start writes fails, with each cause in turn; at last the run continues."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    files = Files(project.root / ".kitty-run", tmp_path / "state", name=plain)
    causes, tried = itertools.cycle(CAUSES), set[str]()
    while True:
        files.seen.clear()
        files.fails = frozenset()
        assert at_gate(project, files).status == ExitStatus.PAUSED
        if not (kinds := sorted({*files.seen} - tried)):
            break
        tried.update(kinds)
        for kind in kinds:
            files.fails, files.number, files.failed = frozenset({kind}), next(causes), 0
            done = at_gate(project, files)
            assert done.status == ExitStatus.PAUSED, (kind, done.err)
            told = os.strerror(files.number) in done.err and "file system" in done.err
            assert told or not files.failed or dispensable(kind, files.number), (kind, done.err)
    assert len(tried) >= MOST
    assert run(project).status == ExitStatus.OK


def at_gate(project: Project, files: Files) -> Done:
    """A start that waits at a gate as soon as it has begun."""
    with files.watched():
        return run(project, "--set", "/gates={before: [start]}")


def dispensable(kind: str, number: int) -> bool:
    """Whether the run does without it: what it keeps outside of the repository, where it may not write."""
    return OUTSIDE in kind and number in {errno.EACCES, errno.EROFS}
