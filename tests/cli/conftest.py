"""Fixtures of whole missions that are played once, and put back as they were for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.cli.project import Project, make


class Played:
    """A project after a run, with what the runner keeps of it in the user's state directory.

    It stays in its place, since what the runner keeps is bound to the repository's path and inode.
    """

    def __init__(self, folder: Path, gates: tuple[str, ...]) -> None:
        self._live = (folder / "live", folder / "state")
        self._kept = (folder / "kept-live", folder / "kept-state")
        self.project = make(self._live[0] / "repo", gates=gates)
        self.state = self._live[1]
        self._folder = folder

    def keep(self) -> None:
        """Remember how everything is now."""
        for live, kept in zip(self._live, self._kept, strict=True):
            shutil.copytree(live, kept, symlinks=True)

    def restore(self) -> None:
        """Bring everything back to how it was."""
        for live, kept in zip(self._live, self._kept, strict=True):
            _same(live, kept)


def _same(live: Path, kept: Path) -> None:
    """Give `live` the content of `kept`, without a new directory for a repository's root."""
    for path in live.iterdir() if live.is_dir() else ():
        if path.name == "repo":
            _same(path, kept / "repo")
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, live, symlinks=True, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], Played]:
    """`played(GATES)`: the project after a run that waits at one of the gates, or came to its end."""

    @cache
    def play(gates: tuple[str, ...]) -> Played:
        made = Played(tmp_path_factory.mktemp("played"), gates)
        with pytest.MonkeyPatch.context() as patch:
            made.state.mkdir()
            patch.setenv("XDG_STATE_HOME", str(made.state))
            done = made.project.kitty_run(str(made.project.profile), "--mission", "demo")
        assert done.status == (4 if gates else 0), done.err
        made.keep()
        return made

    return play


@pytest.fixture
def after_run(
    played: Callable[[tuple[str, ...]], Played], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Project]]:
    """`after_run(*GATES)`: that project, fresh from its run."""

    def take(*gates: str) -> Project:
        found = played(gates)
        found.restore()
        monkeypatch.setenv("XDG_STATE_HOME", str(found.state))
        return found.project

    return take


@pytest.fixture
def paused(after_run: Callable[..., Project]) -> Project:
    """A run that waits at its gate, all work packages done."""
    return after_run("merge")
