"""A worktree that git was cut off from making is never taken for one in which files were deleted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.protocols import Repair
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo, half_made, make_repo

pytestmark = pytest.mark.heavy

FILES = 40


def whole(root: GitRepo, tree: GitRepo, *, untouched: bool = False) -> Repair | None:
    return run(Workspace(tree.path, root.path).make_whole(untouched=untouched))


def assert_whole(tree: GitRepo, root: GitRepo) -> None:
    assert tree.status() == ""
    assert sorted(tree.files()) == sorted(tree.git("ls-files").splitlines())
    assert "locked" not in root.git("worktree", "list", "--porcelain")
    assert tree.read("many/7.txt") == "7\n"


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    repo = make_repo(tmp_path / "project")
    repo.commit("many", **{f"many/{number}.txt": f"{number}\n" for number in range(FILES)})
    return repo


class TestCutOff:
    def test_amid_writing_files(self, root: GitRepo) -> None:
        tree = half_made(root, "m-WP01")
        repair = whole(root, tree)
        assert repair is not None
        assert len(repair.restored) > FILES / 2
        assert repair.kept is None
        assert_whole(tree, root)
        assert whole(root, tree) is None

    def test_after_the_files_but_before_git_was_done(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        (root.path / ".git/worktrees/m-WP01/locked").write_text("initializing")
        assert whole(root, tree) == Repair("git was cut off while it made this worktree")
        assert_whole(tree, root)

    def test_keeps_what_is_neither_missing_nor_as_committed(self, root: GitRepo) -> None:
        tree = half_made(root, "m-WP01")
        tree.write("src/app.py", "on")
        tree.write("notes.txt", "mine")
        make_repo(tree.path / "inner").commit("inner", **{"deep/inner.txt": "inner work"})
        repair = whole(root, tree)
        assert repair is not None
        assert repair.kept is not None
        assert {"notes.txt", "src/app.py", "inner/deep/inner.txt"} <= set(repair.kept.files)
        assert "many/7.txt" not in repair.kept.files
        assert root.git("show", f"{repair.kept.ref}:inner/deep/inner.txt") == "inner work"
        assert root.git("show", f"{repair.kept.ref}:notes.txt") == "mine"
        assert root.git("show", f"{repair.kept.ref}:many/7.txt") == "7"
        assert_whole(tree, root)

    def test_before_it_had_a_commit(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        own = root.path / ".git/worktrees/m-WP01"
        (own / "locked").write_text("initializing")
        (own / "HEAD").write_text("0" * 40 + "\n")
        (own / "index").unlink()
        for entry in tree.path.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        repair = whole(root, tree)
        assert repair is not None
        assert repair.removed
        run(Workspace(tree.path, root.path).ensure("m-WP01", "main", ()))
        assert_whole(tree, root)

    def test_before_it_had_a_directory(self, root: GitRepo) -> None:
        tree = half_made(root, "m-WP01")
        shutil.rmtree(tree.path)
        repair = whole(root, tree)
        assert repair is not None
        assert repair.removed
        run(Workspace(tree.path, root.path).ensure("m-WP01", "main", ()))
        assert_whole(tree, root)

    def test_is_waited_for_while_git_lives(self, root: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kitty_run.git.locks.PATIENCE", 0)
        tree = half_made(root, "m-WP01")
        lock = root.path / ".git/worktrees/m-WP01/index.lock"
        with lock.open(), pytest.raises(WorkspaceError, match=f"process {os.getpid()} still runs git"):
            whole(root, tree)
        assert lock.exists()


class TestLeftovers:
    def test_a_merge_cut_off_before_anybody_worked_is_undone(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        tree.write("src/app.py", "of the merge\n")
        tree.write("new.py", "of the merge\n")
        (root.path / ".git/worktrees/m-WP01/index.lock").touch()
        repair = whole(root, tree, untouched=True)
        assert repair is not None
        assert repair.kept is not None
        assert repair.kept.files == ("new.py", "src/app.py")
        assert_whole(tree, root)

    def test_deletions_of_most_files_are_put_back_and_other_work_stays(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        shutil.rmtree(tree.path / "many")
        tree.write("src/app.py", "work\n")
        repair = whole(root, tree)
        assert repair is not None
        assert len(repair.restored) == FILES
        assert repair.kept is not None
        assert tree.status() == " M src/app.py"
        assert "many/7.txt" not in root.git("ls-tree", "-r", "--name-only", repair.kept.ref)

    def test_the_same_where_they_are_staged(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        tree.git("rm", "-r", "-q", "many")
        assert whole(root, tree) is not None
        assert_whole(tree, root)

    def test_and_where_the_index_is_gone(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        shutil.rmtree(tree.path / "many")
        (root.path / ".git/worktrees/m-WP01/index").unlink()
        assert whole(root, tree) is not None
        assert_whole(tree, root)

    @pytest.mark.parametrize("change", ["few", "moved", "none"])
    def test_ordinary_work_is_left_alone(self, root: GitRepo, change: str) -> None:
        tree = root.worktree("m-WP01", "m-WP01")
        if change == "few":
            for number in range(9):
                (tree.path / f"many/{number}.txt").unlink()
        elif change == "moved":
            (tree.path / "many").rename(tree.path / "elsewhere")
        before = tree.status()
        assert whole(root, tree) is None
        assert tree.status() == before
