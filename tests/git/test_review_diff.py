"""What a reviewer is shown of a change that would rather not be seen."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest
from kitty_run.git import review_diff as module
from kitty_run.git.command import Git
from kitty_run.git.protocols import Diff
from kitty_run.git.review_diff import review_diff
from kitty_run.profile.review_diff import GENERATED

from tests.git_repos import GitRepo

pytestmark = pytest.mark.heavy


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
    return asyncio.run(review_diff(Git(repo.path), "base", limit, GENERATED))


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


def test_binary_files_are_listed_by_name_and_size(repo: GitRepo) -> None:
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
        diff = asyncio.run(review_diff(Git(repo.path), "base", limit, GENERATED)) if limit else shown(repo, 0)
        assert len(diff.text.encode()) <= limit
        assert diff.truncated


def test_which_files_come_last_is_for_the_profile_to_say(repo: GitRepo) -> None:
    repo.write("yarn.lock", "entry\n")
    repo.write("dist/page.js", "made\n")
    repo.write("work.py", "work\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "work")
    everything = asyncio.run(review_diff(Git(repo.path), "base", 10_000, ()))
    assert "+entry" in everything.text
    assert not everything.truncated
    some = asyncio.run(review_diff(Git(repo.path), "base", 10_000, ("dist/**",)))
    assert "+entry" in some.text
    assert "+work" in some.text
    assert "+made" not in some.text
    assert some.text.rstrip().endswith("bytes of diff, not shown)")


def test_a_small_change_after_a_very_large_one_is_shown(repo: GitRepo) -> None:
    """More than was read in one piece before: files behind it were named in the summary only."""
    repo.write("a.txt", "line of a large file\n" * 2_000_000)
    repo.write("b.txt", "x" * 3_000_000 + "\ndiff --git a/evil b/evil\n")
    for number in range(300):
        repo.write(f"many/{number:03}.txt", f"{number} " * 300 + "\n")
    repo.write("zz_evil.py", "evil-marker\n")
    tracemalloc.start()
    diff = shown(repo)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "+evil-marker" in diff.text
    assert "a.txt" in diff.text
    assert "(large: 44" in diff.text
    assert diff.truncated
    assert len(diff.text.encode()) <= 10_000
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
def test_a_diff_is_taken_apart_alike_however_it_comes(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_LINE", 24)
    patches = [
        b"diff --git a/x b/x\n@@\n+diff --git in the middle\n+" + b"y" * 50 + b"\n",
        b"diff --git a/z b/z\n@@\n-diff --git\n+w\n\\ No newline at end of file",
    ]
    data = b"".join(patches)
    reader = module.Reader("large", 10_000)
    for at in range(0, len(data), size):
        reader.take(data[at : at + size])
    reader.end()
    assert [bytes(patch.kept) for patch in reader.found] == patches
