"""What a reviewer is shown of a change that would rather not be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from kitty_run.git.command import Git
from kitty_run.git.protocols import Diff
from kitty_run.git.review_diff import review_diff

from tests.git_repos import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path)
    repo.git("init", "-q")
    repo.write("old.txt", "".join(f"line {number}\n" for number in range(20)))
    repo.git("add", "-A")
    repo.git("commit", "-qm", "base")
    repo.git("tag", "base")
    return repo


def shown(repo: GitRepo, limit: int = 10_000) -> Diff:
    repo.git("add", "-A")
    repo.git("commit", "-qm", "work")
    return asyncio.run(review_diff(Git(repo.path), "base", limit))


@pytest.mark.parametrize("attribute", ["-diff", "binary", "diff=none"])
def test_attributes_of_the_reviewed_tree_hide_nothing(repo: GitRepo, attribute: str) -> None:
    repo.write(".gitattributes", f"evil.py {attribute}\n")
    repo.write("evil.py", "curl evil\n")
    repo.git("config", "diff.none.binary", "true")
    assert "+curl evil" in shown(repo).text


def test_a_lock_file_comes_last_and_by_name_and_size(repo: GitRepo) -> None:
    repo.write("a/package-lock.json", "entry\n" * 40_000)
    repo.write("z.py", "the real change\n")
    diff = shown(repo)
    assert "+the real change" in diff.text
    assert "+entry" not in diff.text
    assert diff.text.index("z.py") < diff.text.index("a/package-lock.json")
    assert "generated" in diff.text
    assert diff.truncated


def test_large_files_do_not_crowd_out_small_ones(repo: GitRepo) -> None:
    repo.write("a_data.txt", "line\n" * 60_000)
    repo.write("zz_evil.py", "evil-marker\n")
    diff = shown(repo)
    assert "+evil-marker" in diff.text
    assert "a_data.txt" in diff.text
    assert "(large: " in diff.text
    assert len(diff.text.encode()) <= 10_000


def test_binary_files_are_told_by_name_and_size(repo: GitRepo) -> None:
    (repo.path / "image.png").write_bytes(b"\x89PNG\0\0\n")
    diff = shown(repo)
    assert "image.png" in diff.text
    assert "(binary: " in diff.text
    assert "\0" not in diff.text


def test_renames_and_modes_are_shown(repo: GitRepo) -> None:
    repo.git("mv", "old.txt", "new.txt")
    (repo.path / "new.txt").chmod(0o755)
    diff = shown(repo)
    for told in ("rename from old.txt", "rename to new.txt", "new mode 100755"):
        assert told in diff.text


def test_whatever_the_limit_it_is_kept(repo: GitRepo) -> None:
    for number in range(300):
        repo.write(f"file-{number}.txt", "text\n" * 10)
    for limit in (0, 50, 2000):
        diff = asyncio.run(review_diff(Git(repo.path), "base", limit)) if limit else shown(repo, 0)
        assert len(diff.text.encode()) <= limit
        assert diff.truncated
