"""Nothing is taken out of a workspace unless it is kept under a ref first, and somebody is told where."""

from __future__ import annotations

import re
from pathlib import Path

import kitty_run.git
import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside
from kitty_run.git.protocols import Kept
from kitty_run.git.repository import Repository
from kitty_run.git.workspaces import sizes
from kitty_run.git.workspaces.workspace import Workspace, WorkspaceConflict

from tests.git.workspaces.running import BRANCH, run
from tests.git_repos import GitRepo, make_repo

pytestmark = pytest.mark.heavy


@pytest.fixture
def told() -> list[Kept]:
    return []


@pytest.fixture
def workspace(root: GitRepo, tree: GitRepo, told: list[Kept]) -> Workspace:
    return Workspace(tree.path, root.path, Aside("m", "WP01", lambda _, kept: told.append(kept)))


def test_a_discard_keeps_files_commits_and_deletions_and_is_reported_before(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    seen: list[str] = []
    workspace = Workspace(
        tree.path,
        root.path,
        Aside("m", "WP01", lambda _, kept: (told.append(kept), seen.append(tree.status()))),
    )
    committed = tree.commit("a reviewer's", **{"committed.py": "x"})
    tree.write("loose.py", "loose")
    tree.write("src/app.py", "changed")
    (tree.path / "kitty-specs/m/spec.md").unlink()
    run(workspace.discard(since, "changed by the reviewer"))
    (kept,) = told
    assert kept.ref == f"refs/kitty-run/m/aside/WP01-{kept.commit[:12]}"
    assert set(kept.files) == {"committed.py", "loose.py", "src/app.py", "kitty-specs/m/spec.md"}
    assert kept.why == "changed by the reviewer"
    assert root.git("show", f"{kept.ref}:loose.py") == "loose"
    assert root.git("show", f"{kept.ref}:src/app.py") == "changed"
    assert root.head(f"{kept.ref}^") == committed
    assert "loose.py" in seen[0]
    assert (tree.head(), tree.status()) == (since.head, "")


def test_nested_repositories_are_kept_as_files_with_their_history(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    inner = make_repo(tree.path / "vendor" / "inner")
    inner.commit("deep", **{"deep/work.txt": "work"})
    (inner.path / "link").symlink_to("deep/work.txt")
    inner.write('loose "q".txt', "loose")
    run(workspace.discard(since, "test"))
    (kept,) = told
    assert not inner.path.exists()
    assert root.git("show", f"{kept.ref}:vendor/inner/deep/work.txt") == "work"
    assert root.git("show", f'{kept.ref}:vendor/inner/loose "q".txt') == "loose"
    assert root.git("ls-tree", kept.ref, "vendor/inner/link").startswith("120000")
    assert "vendor/inner/dot-git/HEAD" in root.files(kept.ref)


def test_a_nested_repository_that_was_committed_as_a_link_is_kept_too(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    make_repo(tree.path / "inner").commit("deep", **{"work.txt": "work"})
    tree.commit("as a link")
    assert tree.git("ls-tree", "HEAD", "inner").startswith("160000")
    run(workspace.discard(since, "test"))
    assert root.git("show", f"{told[0].ref}:inner/work.txt") == "work"


def test_what_is_too_large_for_git_is_moved_and_nothing_of_it_is_read(
    tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    with (tree.path / "large.bin").open("wb") as file:
        file.truncate(sizes.FILE_LIMIT + 1)
    tree.write("small.txt", "small")
    assert run(workspace.snapshot()).unread == ("large.bin",)
    run(workspace.discard(since, "test"))
    (kept,) = told
    assert set(kept.files) == {"large.bin", "small.txt"}
    assert kept.folder is not None
    assert (kept.folder / "large.bin").stat().st_size == sizes.FILE_LIMIT + 1
    assert tree.status() == ""


def test_a_snapshot_sees_a_change_of_what_is_too_large_for_git(tree: GitRepo, workspace: Workspace) -> None:
    with (tree.path / "large.bin").open("wb") as file:
        file.truncate(sizes.FILE_LIMIT + 1)
    before = run(workspace.snapshot())
    assert run(workspace.snapshot()).tree == before.tree
    with (tree.path / "large.bin").open("ab") as file:
        file.truncate(sizes.FILE_LIMIT + 2)
    assert run(workspace.snapshot()).tree != before.tree


def test_of_caches_alone_nothing_is_kept(tree: GitRepo, workspace: Workspace, told: list[Kept]) -> None:
    since = run(workspace.snapshot())
    tree.write("src/__pycache__/app.cpython-311.pyc", "x")
    run(workspace.discard(since, "left by the checks"))
    assert told == []
    assert tree.status() == ""


def test_commits_on_the_branch_are_kept_where_another_one_is_checked_out(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    on_branch = tree.commit("on the branch", **{"one.py": "1"})
    tree.git("checkout", "-q", "--orphan", "elsewhere")
    run(workspace.discard(since, "test"))
    assert root.git("merge-base", "--is-ancestor", on_branch, told[0].ref) == ""
    assert (tree.head(), tree.git("branch", "--show-current")) == (since.head, BRANCH)


def test_changes_below_kitty_specs_are_kept_before_they_are_undone(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    since = run(workspace.snapshot())
    tree.write("kitty-specs/m/spec.md", "forged")
    tree.write("kitty-specs/m/secret.log", "ignored")
    tree.write("work.py", "work")
    run(workspace.undo_forbidden(since))
    (kept,) = told
    assert set(kept.files) == {"kitty-specs/m/secret.log", "kitty-specs/m/spec.md"}
    assert root.git("show", f"{kept.ref}:kitty-specs/m/secret.log") == "ignored"
    assert tree.status() == "?? work.py"


def test_undoing_nothing_keeps_nothing(tree: GitRepo, workspace: Workspace, told: list[Kept]) -> None:
    since = run(workspace.snapshot())
    tree.write("work.py", "work")
    run(workspace.undo_forbidden(since))
    assert told == []


def test_a_branch_that_is_put_back_is_kept_and_uncommitted_changes_there_are_never_overwritten(
    root: GitRepo, tree: GitRepo, told: list[Kept]
) -> None:
    repository = Repository(root.path, lambda _, kept: told.append(kept))
    reviewed = tree.head()
    tip = tree.commit("later", **{"src/app.py": "later"})
    tree.write("src/app.py", "mine")
    with pytest.raises(WorkspaceError, match="not uptodate"):
        run(repository.put_back("m", "WP01", BRANCH, reviewed))
    tree.git("checkout", "-q", "src/app.py")
    ref = run(repository.put_back("m", "WP01", BRANCH, reviewed))
    assert root.head(ref) == tip
    assert tree.head() == reviewed
    assert {kept.ref for kept in told} == {ref}


def test_a_merge_that_somebody_may_have_resolved_in_part_is_kept_before_it_is_undone(
    root: GitRepo, tree: GitRepo, workspace: Workspace, told: list[Kept]
) -> None:
    root.worktree("m-WP02", "m-WP02").commit("two", **{"src/app.py": "TWO\n"})
    tree.commit("one", **{"src/app.py": "ONE\n"})
    tree.git("merge", "m-WP02", check=False)
    tree.write("src/app.py", "both\n")
    with pytest.raises(WorkspaceConflict):
        run(workspace.ensure(BRANCH, "main", ["m-WP02"]))
    (kept,) = told
    assert root.git("show", f"{kept.ref}:src/app.py") == "both"
    assert tree.status() == ""


DISCARDS = re.compile(r'"--hard"|run\("clean"|"--abort"')
"""Words of git commands that take something out of a worktree."""


def test_one_place_discards() -> None:
    (package,) = kitty_run.git.__path__
    found = {path.name for path in Path(package).rglob("*.py") if DISCARDS.search(path.read_text())}
    assert found == {"aside.py"}
