"""Drivers that attributes name for some folders, and that git's configuration lacks."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from kitty_run.git.readiness.merge_drivers import unregistered

from tests.git_repos import GitRepo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "repo")


def lacking(repo: GitRepo) -> tuple[str, ...]:
    return asyncio.run(unregistered(repo.path, {"kitty-specs"}))


def test_a_repository_without_attributes_lacks_nothing(repo: GitRepo) -> None:
    assert lacking(repo) == ()


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("kitty-specs/** merge=a", ("a",)),
        ("/kitty-specs/x merge=a linguist-generated=true", ("a",)),
        ('"kitty-specs/with space" merge=a', ("a",)),
        ("kitty-specs/x -merge text merge=union", ()),
        ("kitty-specs/x merge", ()),
        ("kitty-specsx/x merge=a", ()),
        ("# kitty-specs/x merge=a", ()),
        ("*.json merge=a", ()),
        ("kitty-specs/** merge=Known", ()),
        ("kitty-specs/** merge=known", ("known",)),  # names are case-sensitive
    ],
)
def test_what_is_named_for_the_folder_must_be_known(
    repo: GitRepo, line: str, missing: tuple[str, ...]
) -> None:
    repo.git("config", "merge.Known.driver", "true %A")
    repo.write(".gitattributes", f"{line}\n{line}\n")
    assert lacking(repo) == missing


def test_attributes_that_are_no_file_are_none(repo: GitRepo) -> None:
    os.mkfifo(repo.path / ".gitattributes")
    assert lacking(repo) == ()
