"""Nothing below kitty-specs/ is an attempt's to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo

pytestmark = pytest.mark.heavy


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

    def test_uncommitted_host_files_that_were_there_before_are_not_the_agents(
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
