"""A workspace keeps what an attempt did, all of it, and says what was there before."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.profile.review_diff import GENERATED

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo, make_repo


class TestSnapshot:
    def test_changes_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.write("src/app.py", "changed\n")
        tree.git("add", "src/app.py")
        tree.write("new.py", "new")
        before = tree.git("status", "--porcelain=v2", "--untracked-files=all")
        run(workspace.snapshot())
        assert tree.git("status", "--porcelain=v2", "--untracked-files=all") == before

    def test_is_the_same_for_the_same_content_committed_or_not(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.write("new.py", "new")
        loose = run(workspace.snapshot())
        run(workspace.commit("new"))
        assert run(workspace.snapshot()).tree == loose.tree

    def test_sees_untracked_files_modes_and_deletions_but_no_ignored_file(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        seen = [run(workspace.snapshot()).tree]
        for change in (
            lambda: tree.write("new.py", "new"),
            lambda: (tree.path / "src/app.py").chmod(0o755),
            (tree.path / "src/app.py").unlink,
        ):
            change()
            seen.append(run(workspace.snapshot()).tree)
        assert len(set(seen)) == 4
        tree.write("run.log", "noise")
        assert run(workspace.snapshot()).tree == seen[-1]

    def test_works_on_an_empty_worktree(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.git("rm", "-rq", ".")
        assert run(workspace.snapshot()).tree != run(workspace.snapshot_committed()).tree


class TestCommit:
    def test_commits_new_changed_and_deleted_files_but_no_ignored_one(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.write("a b/ü\n.py", "odd name")
        tree.write("run.log", "noise")
        (tree.path / "src/app.py").unlink()
        sha = run(workspace.commit("feat: things\n\n# kept line"))
        assert sha == tree.head()
        assert tree.git("show", "--name-status", "--format=", "-z", "HEAD").split("\0")[:4] == [
            "A",
            "a b/ü\n.py",
            "D",
            "src/app.py",
        ]
        assert run(workspace.dirty()) == ()

    def test_gives_none_when_there_is_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        head = tree.head()
        assert run(workspace.commit("nothing")) is None
        assert tree.head() == head

    def test_never_commits_what_is_below_kitty_specs_staged_or_not(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.write("kitty-specs/m/spec.md", "mine now")
        tree.write("kitty-specs/m/new.md", "new")
        tree.git("add", "-A")
        tree.write("code.py", "code")
        run(workspace.commit("code"))
        assert tree.git("show", "--name-only", "--format=", "HEAD") == "code.py"

    def test_is_not_stopped_or_changed_by_hooks_signing_or_a_template(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        for name in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit"):
            hook = root.write(f".git/hooks/{name}", "#!/bin/sh\ntouch hooked\nexit 1\n")
            hook.chmod(0o755)
        root.git("config", "commit.gpgsign", "true")
        root.git("config", "gpg.program", "/bin/false")
        tree.write("code.py", "code")
        assert run(workspace.commit("message")) == tree.head()
        assert tree.git("log", "-1", "--format=%B").strip() == "message"
        assert not (tree.path / "hooked").exists()

    def test_makes_up_an_identity_only_where_there_is_none(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        tree.write("one.py", "1")
        run(workspace.commit("one"))
        root.git("config", "user.name", "Configured")
        tree.write("two.py", "2")
        run(workspace.commit("two"))
        assert tree.git("log", "-2", "--format=%an <%ae>").splitlines() == [
            "Configured <kitty-run@localhost>",
            "kitty-run <kitty-run@localhost>",
        ]

    def test_pays_no_heed_to_a_callers_git_dir(
        self, tmp_path: Path, tree: GitRepo, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = make_repo(tmp_path / "other")
        monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
        tree.write("code.py", "code")
        run(workspace.commit("code"))
        monkeypatch.undo()
        assert "code.py" in tree.files()
        assert "code.py" not in other.files()


class TestOwnWork:
    def test_a_base_with_dependencies_commits_is_not_own_work(self, root: GitRepo) -> None:
        root.worktree("m-WP01", "m-WP01").commit("one", **{"one.py": "1"})
        tree = root.worktree("m-WP02", "m-WP02", "m-WP01")
        workspace = Workspace(tree.path, root.path)
        base = run(workspace.head())
        assert not run(workspace.own_changes(base))
        tree.commit("own", **{"two.py": "2"})
        assert run(workspace.own_changes(base))
        assert run(workspace.diff_files(base)) == ("two.py",)

    def test_commits_that_change_nothing_in_the_end_are_no_changes(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        base = run(workspace.head())
        tree.commit("there", **{"x.py": "x"})
        tree.git("revert", "--no-edit", "HEAD")
        assert not run(workspace.own_changes(base))

    def test_the_fork_point_is_where_the_branch_left_another(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        start = root.head()
        tree.commit("own", **{"x.py": "x"})
        root.commit("meanwhile", **{"y.py": "y"})
        assert run(workspace.fork_point("main")) == start

    def test_or_the_last_known_commit_on_the_branch_itself_which_came_by_no_merge(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        start = root.head()
        first = tree.commit("reviewed", **{"x.py": "x"})
        root.git("checkout", "-q", "-b", "side", start)
        aside = root.commit("reviewed elsewhere", **{"y.py": "y"})
        tree.git("merge", "-q", "--no-edit", "side")
        tree.commit("own", **{"z.py": "z"})
        assert run(workspace.fork_point("main", [aside, first])) == first
        assert run(workspace.fork_point("main", [aside])) == start

    def test_the_diff_is_cut_at_its_limit_but_names_every_file(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        root.git("config", "diff.external", "/bin/false")
        base = run(workspace.head())
        tree.commit("much", **{"a.py": "a\n" * 500, "z.py": "z\n"})
        whole = run(workspace.diff(base, 1_000_000, GENERATED))
        assert (whole.truncated, whole.files) == (False, ("a.py", "z.py"))
        assert whole.text.count("\n+a") == 500
        cut = run(workspace.diff(base, 200, GENERATED))
        assert (cut.truncated, cut.files, cut.stat) == (True, whole.files, whole.stat)
        assert len(cut.text.encode()) <= 200
        assert cut.text.endswith("\n")
