"""A reviewer's checkout holds the reviewed commit alone, and goes with all that the reviewer left in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.git.aside import Aside
from kitty_run.git.protocols import Kept
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo

pytestmark = pytest.mark.heavy


def opened(root: GitRepo, workspace: Workspace, commit: str) -> GitRepo:
    place = run(workspace.open_review(commit, commit, ())).path
    assert place.parent == root.path / ".worktrees" / "kitty-run-review"
    return GitRepo(place)


def files(folder: Path) -> set[str]:
    every = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {path for path in every if path != ".git"}


PLANTS: dict[str, Callable[[GitRepo, GitRepo], object]] = {
    "an ignored file": lambda _, tree: tree.write("run.log", "green"),
    "a file that the repository's own list hides": lambda root, tree: (
        root.write(".git/info/exclude", ".claude/\n"),
        tree.write(".claude/settings.json", "approve everything"),
    ),
    "a change that the index hides": lambda _, tree: (
        tree.git("update-index", "--assume-unchanged", "src/app.py"),
        tree.write("src/app.py", "passes every test\n"),
    ),
    "a file that the index says is left out": lambda _, tree: (
        tree.git("update-index", "--skip-worktree", "src/app.py"),
        (tree.path / "src/app.py").unlink(),
    ),
    "a repository inside": lambda _, tree: (
        tree.write(".git/info/exclude", "") if (tree.path / ".git").is_dir() else None,
        tree.write("x.log/.git/HEAD", "ref: refs/heads/main\n"),
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_it_holds_what_is_committed_whatever_the_workspace_holds_besides(
    root: GitRepo, tree: GitRepo, workspace: Workspace, name: str
) -> None:
    commit = tree.commit("work", **{"new.py": "new"})
    PLANTS[name](root, tree)
    left = files(tree.path)
    place = opened(root, workspace, commit)
    assert files(place.path) == set(tree.files())
    assert {path: place.read(path) for path in tree.files()} == {
        path: tree.git("cat-file", "blob", f"HEAD:{path}") + "\n" * (path != "new.py")
        for path in tree.files()
    }
    assert place.head() == commit
    assert run(workspace.close_review(commit, "test")) == ()
    assert files(tree.path) == left
    assert "kitty-run-review" not in root.git("worktree", "list")
    assert not place.path.parent.exists()


def test_what_the_reviewer_changed_there_is_kept_and_named(root: GitRepo, tree: GitRepo) -> None:
    told: list[Kept] = []
    workspace = Workspace(tree.path, root.path, Aside("m", "WP01", lambda _, kept: told.append(kept)))
    commit = tree.head()
    place = opened(root, workspace, commit)
    place.git("checkout", "-q", "-b", "elsewhere")
    place.commit("a fix of its own", **{"fix.py": "fix"})
    place.write("src/app.py", "edited")
    place.write("run.log", "its own")
    assert run(workspace.close_review(commit, "changed by the reviewer")) == ("fix.py", "src/app.py")
    (kept,) = told
    assert root.git("show", f"{kept.ref}:src/app.py") == "edited"
    assert root.git("show", f"{kept.ref}:fix.py") == "fix"
    assert not place.path.exists()
    assert tree.status() == ""
    assert tree.head() == commit


def removed(root: GitRepo, place: GitRepo) -> None:
    shutil.rmtree(place.path)


def unlinked(root: GitRepo, place: GitRepo) -> None:
    (place.path / ".git").unlink()


def another(root: GitRepo, place: GitRepo) -> None:
    (place.path / ".git").unlink()
    place.git("init", "-q")


def forgotten(root: GitRepo, place: GitRepo) -> None:
    shutil.rmtree(root.path / ".git" / "worktrees" / place.path.name)


def without_index(root: GitRepo, place: GitRepo) -> None:
    (root.path / ".git" / "worktrees" / place.path.name / "index").unlink()


def half_made(root: GitRepo, place: GitRepo) -> None:
    own = root.path / ".git" / "worktrees" / place.path.name
    (own / "locked").write_text("initializing", encoding="utf-8")
    (own / "index").unlink()


def a_link(root: GitRepo, place: GitRepo) -> None:
    removed(root, place)
    place.path.symlink_to(root.path)


@pytest.mark.parametrize("spoil", [removed, unlinked, another, forgotten, without_index, half_made, a_link])
def test_whatever_a_reviewer_made_of_it_the_next_one_gets_a_whole_one(
    root: GitRepo, tree: GitRepo, workspace: Workspace, spoil: Callable[[GitRepo, GitRepo], None]
) -> None:
    commit = tree.head()
    place = opened(root, workspace, commit)
    place.write("notes.txt", "the reviewer's")
    spoil(root, place)
    before = root.status()
    place = opened(root, workspace, commit)
    assert files(place.path) == set(tree.files())
    aside = root.path / ".git" / "kitty-run" / "aside"
    lost = spoil in {removed, half_made, a_link}
    assert lost or [path for path in aside.rglob("notes.txt") if path.read_text() == "the reviewer's"]
    run(workspace.close_review(commit, "test"))
    assert (root.status(), root.head()) == (before, root.head("main"))
    assert not os.path.lexists(place.path)


def test_links_on_the_way_are_not_followed(
    root: GitRepo, tree: GitRepo, workspace: Workspace, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root.path / ".worktrees" / "kitty-run-review").symlink_to(outside)
    opened(root, workspace, tree.head())
    assert list(outside.iterdir()) == []
    assert not (root.path / ".worktrees" / "kitty-run-review").is_symlink()
