"""A workspace keeps what an attempt did, all of it, and nothing below kitty-specs/."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.protocols import Left
from kitty_run.git.workspaces.workspace import Workspace, WorkspaceConflict
from kitty_run.profile.review_diff import GENERATED

from tests.git_repos import GitRepo, make_repo

T = TypeVar("T")


def run(call: Coroutine[object, object, T]) -> T:
    return asyncio.run(call)


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    return make_repo(tmp_path / "project")


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree("m-WP01", "m-WP01")


@pytest.fixture
def workspace(root: GitRepo, tree: GitRepo) -> Workspace:
    return Workspace(tree.path, root.path)


class TestEnsure:
    def ensure(self, root: GitRepo, *merge: str, name: str = "m-WP03", base: str = "main") -> Workspace:
        workspace = Workspace(root.path / ".worktrees" / name, root.path)
        run(workspace.ensure(name, base, merge))
        return workspace

    def test_makes_the_worktree_on_a_new_branch_from_its_base(self, root: GitRepo) -> None:
        start = root.head()
        workspace = self.ensure(root)
        assert run(workspace.branch()) == "m-WP03"
        assert run(workspace.head()) == start
        assert run(workspace.dirty()) == ()

    def test_leaves_one_that_is_there_with_its_uncommitted_work(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        tree.write("half.py", "half")
        assert run(self.ensure(root).dirty()) == ("half.py",)

    def test_makes_it_again_from_its_branch_when_the_directory_was_deleted(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        done = tree.commit("done", **{"new.py": "x"})
        root.git("worktree", "remove", "--force", str(tree.path))
        assert run(self.ensure(root).head()) == done

    def test_makes_it_again_when_git_still_lists_the_deleted_directory(self, root: GitRepo) -> None:
        tree = root.worktree("m-WP03", "m-WP03")
        done = tree.commit("done", **{"new.py": "x"})
        shutil.rmtree(tree.path)
        assert run(self.ensure(root).head()) == done

    def test_merges_the_dependencies_branches(self, root: GitRepo) -> None:
        one = root.worktree("m-WP01", "m-WP01").commit("one", **{"one.py": "1"})
        two = root.worktree("m-WP02", "m-WP02").commit("two", **{"two.py": "2"})
        workspace = self.ensure(root, "m-WP02", base="m-WP01")
        tree = GitRepo(workspace.path)
        assert {"one.py", "two.py"} <= set(tree.files())
        assert tree.git("merge-base", "--is-ancestor", one, "HEAD", check=True) == ""
        assert tree.git("merge-base", "--is-ancestor", two, "HEAD", check=True) == ""

    def test_a_second_time_merges_nothing_again(self, root: GitRepo) -> None:
        root.worktree("m-WP02", "m-WP02").commit("two", **{"two.py": "2"})
        head = run(self.ensure(root, "m-WP02").head())
        assert run(self.ensure(root, "m-WP02").head()) == head

    def test_names_branch_and_files_of_a_conflict_and_leaves_the_workspace_clean(self, root: GitRepo) -> None:
        root.worktree("m-WP01", "m-WP01").commit("one", **{"src/app.py": "ONE\n"})
        root.worktree("m-WP02", "m-WP02").commit("two", **{"src/app.py": "TWO\n"})
        with pytest.raises(WorkspaceConflict, match=r"m-WP02 conflicts .* in src/app\.py") as caught:
            self.ensure(root, "m-WP02", base="m-WP01")
        assert (caught.value.branch, caught.value.files) == ("m-WP02", ("src/app.py",))
        tree = GitRepo(root.path / ".worktrees" / "m-WP03")
        assert tree.status() == ""
        assert tree.read("src/app.py") == "ONE\n"

    def test_takes_up_a_merge_that_a_killed_run_left_half_done(self, root: GitRepo) -> None:
        root.worktree("m-WP01", "m-WP01").commit("one", **{"src/app.py": "ONE\n"})
        two = root.worktree("m-WP02", "m-WP02")
        two.commit("two", **{"src/app.py": "TWO\n"})
        tree = root.worktree("m-WP03", "m-WP03", "m-WP01")
        tree.git("merge", "m-WP02", check=False)
        with pytest.raises(WorkspaceConflict):
            self.ensure(root, "m-WP02", base="m-WP01")
        assert tree.status() == ""

    def test_refuses_a_directory_that_is_no_worktree(self, root: GitRepo) -> None:
        root.write(".worktrees/m-WP03/notes.txt", "mine")
        with pytest.raises(WorkspaceError, match="is in the way"):
            self.ensure(root)

    def test_refuses_an_unknown_base_with_gits_words(self, root: GitRepo) -> None:
        with pytest.raises(WorkspaceError, match="no-such-base"):
            self.ensure(root, base="no-such-base")


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

    def test_never_commits_what_stands_below_kitty_specs_staged_or_not(
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


class TestForbidden:
    CHANGES = (
        "modify",
        "delete",
        "add",
        "add ignored",
        "commit",
        "rename away",
        "link",
        "file",
        "inner link",
    )

    def change(self, how: str, tree: GitRepo, outside: Path) -> None:
        specs = tree.path / "kitty-specs"
        if how == "modify":
            tree.write("kitty-specs/m/spec.md", "mine")
        elif how == "delete":
            (specs / "m/spec.md").unlink()
        elif how == "add":
            tree.write("kitty-specs/other/new.md", "new")
        elif how == "add ignored":
            tree.write("kitty-specs/m/noise.log", "new")
        elif how == "commit":
            tree.commit("both", **{"kitty-specs/m/spec.md": "mine", "kitty-specs/m/tasks/WP02.md": "new"})
        elif how == "rename away":
            tree.git("mv", "kitty-specs/m", "specs")
            tree.git("commit", "-qm", "moved")
        elif how == "link":
            specs.rename(outside)
            specs.symlink_to(outside)
        elif how == "inner link":
            (specs / "m/tasks").rename(outside)
            (specs / "m/tasks").symlink_to(outside)
        else:
            tree.git("rm", "-rqf", "kitty-specs")
            tree.write("kitty-specs", "a file now")
            tree.commit("gone")

    @pytest.mark.parametrize("how", CHANGES)
    def test_every_kind_of_change_is_found_and_undone_and_other_work_kept(
        self, how: str, tree: GitRepo, workspace: Workspace, tmp_path: Path
    ) -> None:
        since = run(workspace.snapshot())
        tree.commit("own work", **{"work.py": "committed"})
        self.change(how, tree, tmp_path / "outside")
        tree.write("loose.py", "loose")
        assert run(workspace.forbidden(since)) != ()
        run(workspace.undo_forbidden(since))
        assert run(workspace.forbidden(since)) == ()
        assert tree.read("kitty-specs/m/spec.md") == "# Spec\n"
        assert not (tree.path / "kitty-specs/m/tasks").is_symlink()
        run(workspace.commit("the rest"))
        assert tree.status() == ""
        assert tree.git("diff", "--name-only", since.head, "HEAD", "--", "kitty-specs") == ""
        assert {"work.py", "loose.py"} <= set(tree.files())
        assert run(workspace.branch()) == "m-WP01"

    def test_undoing_leaves_the_target_of_a_planted_link_alone(
        self, tree: GitRepo, workspace: Workspace, tmp_path: Path
    ) -> None:
        since = run(workspace.snapshot())
        self.change("link", tree, tmp_path / "outside")
        run(workspace.undo_forbidden(since))
        assert (tmp_path / "outside/m/spec.md").read_text() == "# Spec\n"

    def test_keeps_what_the_agent_committed_as_commits_when_those_are_clean(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        since = run(workspace.snapshot())
        own = tree.commit("own work", **{"work.py": "committed"})
        tree.write("kitty-specs/m/spec.md", "mine")
        run(workspace.undo_forbidden(since))
        assert tree.head() == own
        assert tree.status() == ""

    def test_uncommitted_host_files_that_stood_there_before_are_not_the_agents(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.write("kitty-specs/m/status.json", "{}")
        tree.write("kitty-specs/m/host.log", "x")
        since = run(workspace.snapshot())
        assert run(workspace.forbidden(since)) == ()
        tree.write("kitty-specs/m/status.json", "{1}")
        (tree.path / "kitty-specs/m/host.log").unlink()
        assert run(workspace.forbidden(since)) == ("kitty-specs/m/host.log", "kitty-specs/m/status.json")
        run(workspace.undo_forbidden(since))
        assert (tree.read("kitty-specs/m/status.json"), tree.read("kitty-specs/m/host.log")) == ("{}", "x")

    def test_a_change_that_is_only_in_commits_is_found(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.commit("sly", **{"kitty-specs/m/spec.md": "mine"})
        tree.write("kitty-specs/m/spec.md", "# Spec\n")
        assert run(workspace.forbidden(since)) == ("kitty-specs/m/spec.md",)
        run(workspace.undo_forbidden(since))
        assert (tree.head(), tree.status()) == (since.head, "")

    def test_a_sparse_worktree_misses_nothing_and_is_wronged_by_nothing(
        self, root: GitRepo, tree: GitRepo, workspace: Workspace
    ) -> None:
        tree.git("sparse-checkout", "set", "--no-cone", "/*", "!kitty-specs/m/spec.md")
        since = run(workspace.snapshot())
        assert run(workspace.forbidden(since)) == ()
        tree.write("work.py", "work")
        assert run(workspace.commit("work")) is not None
        assert "kitty-specs/m/spec.md" in tree.files()
        tree.write("kitty-specs/m/spec.md", "planted")
        assert run(workspace.forbidden(since)) == ("kitty-specs/m/spec.md",)
        run(workspace.undo_forbidden(since))
        assert run(workspace.forbidden(since)) == ()
        assert tree.git("show", "HEAD:kitty-specs/m/spec.md") == "# Spec"


class TestDiscard:
    def test_a_clean_workspace_needs_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.write("run.log", "ignored")
        assert run(workspace.discard(since, "test")) == ()
        assert tree.read("run.log") == "ignored"

    def test_puts_back_files_commits_branch_and_index(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.git("checkout", "-q", "-b", "elsewhere")
        tree.commit("reviewer's", **{"fix.py": "fix"})
        tree.write("src/app.py", "edited")
        tree.git("add", "-A")
        tree.write("cache/x.bin", "x")
        tree.write(".gitignore", "*\n")
        assert run(workspace.discard(since, "test")) == (".gitignore", "fix.py", "src/app.py")
        assert not (tree.path / "cache").exists()
        assert run(workspace.snapshot()) == since
        assert tree.status() == ""

    def test_says_head_where_only_commits_or_the_branch_changed(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        since = run(workspace.snapshot())
        tree.git("commit", "-q", "--allow-empty", "-m", "empty")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        tree.git("checkout", "-q", "--detach")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        assert run(workspace.snapshot()) == since

    def test_notices_what_is_staged_only(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.write("src/app.py", "staged")
        tree.git("add", "-A")
        tree.write("src/app.py", "one\ntwo\nthree\n")
        assert run(workspace.discard(since, "test")) == ("src/app.py",)
        assert tree.status() == ""

    def test_ends_a_rebase_and_a_merge_left_half_done(self, tree: GitRepo, workspace: Workspace) -> None:
        start = tree.head()
        tree.commit("mine", **{"src/app.py": "mine"})
        since = run(workspace.snapshot())
        tree.git("branch", "theirs", start)
        tree.git("checkout", "-q", "theirs")
        tree.commit("theirs", **{"src/app.py": "theirs"})
        tree.git("checkout", "-q", "m-WP01")
        for operation in ("rebase", "merge"):
            tree.git(operation, "theirs", check=False)
            assert run(workspace.discard(since, "test")) == ("src/app.py",)
            assert "rebas" not in tree.git("status")
            assert run(workspace.snapshot()) == since

    def test_removes_repositories_that_a_reviewer_cloned_into_it(
        self, tree: GitRepo, workspace: Workspace, root: GitRepo
    ) -> None:
        since = run(workspace.snapshot())
        tree.git("clone", "-q", str(root.path), "vendor/copy")
        assert run(workspace.discard(since, "test")) == ("vendor/copy/",)
        assert not (tree.path / "vendor").exists()

    def test_restores_a_branch_that_was_deleted(self, tree: GitRepo, workspace: Workspace) -> None:
        since = run(workspace.snapshot())
        tree.git("checkout", "-q", "--detach")
        tree.git("branch", "-qD", "m-WP01")
        assert run(workspace.discard(since, "test")) == ("HEAD",)
        assert run(workspace.snapshot()) == since

    def test_restores_ignored_files_below_kitty_specs(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.write("kitty-specs/m/host.log", "x")
        since = run(workspace.snapshot())
        tree.write("kitty-specs/m/host.log", "y")
        assert run(workspace.discard(since, "test")) == ("kitty-specs/m/host.log",)
        assert tree.read("kitty-specs/m/host.log") == "x"


class TestLeft:
    def test_tells_what_an_attempt_changed_and_what_stands_on_the_base(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        base = tree.head()
        tree.commit("feat: earlier", **{"earlier.py": "1"})
        tree.write("lying.py", "of an earlier attempt")
        before = run(workspace.snapshot())
        tree.commit("feat: mine", **{"mine.py": "1"})
        tree.write("half.py", "1")
        left = run(workspace.left(before, base))
        assert set(left.changed) == {"half.py", "mine.py"}
        assert [commit.split(" ", 1)[1] for commit in left.commits] == ["feat: mine", "feat: earlier"]
        assert left.uncommitted == ("half.py",)

    def test_of_an_attempt_that_did_nothing_is_nothing_though_work_stands_there(
        self, tree: GitRepo, workspace: Workspace
    ) -> None:
        base = tree.head()
        tree.write("lying.py", "of an earlier attempt")
        left = run(workspace.left(run(workspace.snapshot()), base))
        assert left == Left((), (), ("lying.py",))

    def test_changes_nothing(self, tree: GitRepo, workspace: Workspace) -> None:
        tree.write("half.py", "1")
        before = run(workspace.snapshot())
        run(workspace.left(before, tree.head()))
        assert run(workspace.snapshot()) == before
        assert tree.git("diff", "--cached", "--name-only") == ""
