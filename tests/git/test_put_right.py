"""What agents do to their workspace besides work: it is found, put right, and all of it kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.aside import Aside
from kitty_run.git.protocols import Expected, Kept, Snapshot, Trouble
from kitty_run.git.workspaces.sizes import MEGABYTE
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.workspaces.running import BRANCH, run
from tests.git_repos import make_repo

pytestmark = pytest.mark.heavy


class Scene:
    """A worktree with a host's commit on top of `main`, at the start of an attempt."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = make_repo(tmp_path / "project")
        self.root.commit("many", **{f"many/{number}.txt": f"{number}\n" for number in range(20)})
        self.tree = self.root.worktree(BRANCH, BRANCH)
        self.base = self.tree.commit("the host's", **{"host.txt": "host"})
        self.told: list[Kept] = []
        tell = Aside("m", "WP01", lambda _, kept: self.told.append(kept))
        self.workspace = Workspace(self.tree.path, self.root.path, tell)
        self.since: Snapshot = run(self.workspace.snapshot())
        self.want = Expected(BRANCH, self.base, 100 * MEGABYTE, 500 * MEGABYTE, 50)

    def put_right(self, want: Expected | None = None) -> tuple[Trouble, ...]:
        return run(self.workspace.put_right(self.since, want or self.want))

    def hand_in(self) -> None:
        """What follows: the branch is taken, and what lies there committed."""
        run(self.workspace.ensure_branch(BRANCH))
        run(self.workspace.commit("work"))
        assert self.root.git("merge-base", "--is-ancestor", self.since.head, BRANCH) == ""

    def kept(self, path: str) -> str:
        return self.root.git("show", f"{self.told[-1].ref}:{path}")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_ordinary_work_is_no_trouble(scene: Scene) -> None:
    scene.tree.commit("work", **{"work.py": "work"})
    scene.tree.write("loose.py", "loose")
    assert scene.put_right() == ()
    assert scene.told == []


class TestLost:
    def check(self, scene: Scene, *words: str) -> None:
        trouble = scene.put_right()
        assert trouble[0].kind == "lost"
        for word in words:
            assert word in trouble[0].text
        scene.hand_in()
        assert scene.tree.read("host.txt") == "host"
        assert scene.root.git("worktree", "list", "--porcelain").count("worktree ") == 2

    def test_the_directory(self, scene: Scene) -> None:
        done = scene.tree.commit("work", **{"work.py": "work"})
        shutil.rmtree(scene.tree.path)
        self.check(scene, "was removed")
        assert scene.tree.head() == done

    def test_the_worktree_and_its_branch(self, scene: Scene) -> None:
        scene.root.git("worktree", "remove", "--force", str(scene.tree.path))
        scene.root.git("branch", "-D", BRANCH)
        self.check(scene, f"the branch {BRANCH} was deleted", "was removed")

    def test_the_branch_alone_and_what_was_committed_is_there_again(self, scene: Scene) -> None:
        done = scene.tree.commit("work", **{"work.py": "work"})
        scene.tree.git("checkout", "-q", "--detach")
        scene.root.git("branch", "-D", BRANCH)
        self.check(scene, f"the branch {BRANCH} was deleted")
        assert scene.tree.head() == done

    def test_the_git_file_and_the_files_stay(self, scene: Scene) -> None:
        scene.tree.write("work.py", "work")
        (scene.tree.path / ".git").unlink()
        self.check(scene, "its .git was removed")
        assert "work.py" in scene.tree.files(BRANCH)

    def test_the_git_file_and_what_git_noted_of_it(self, scene: Scene) -> None:
        scene.tree.write("work.py", "work")
        (scene.tree.path / ".git").unlink()
        scene.root.git("worktree", "prune", "--expire", "now")
        self.check(scene, "its .git was removed")
        assert scene.tree.read("work.py") == "work"

    def test_a_repository_in_its_place_is_moved_away_and_never_run(self, scene: Scene) -> None:
        (scene.tree.path / ".git").unlink()
        scene.tree.git("init", "-q")
        scene.tree.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {scene.root.path}/ran\n").chmod(0o755)
        self.check(scene, "its .git was replaced")
        assert not (scene.root.path / "ran").exists()
        assert list((scene.root.path / ".git/kitty-run/aside").glob("WP01-*-dot-git"))

    def test_the_commit_too_is_an_error(self, scene: Scene) -> None:
        scene.since = replace(scene.since, head="1" * 40)
        scene.root.git("worktree", "remove", "--force", str(scene.tree.path))
        scene.root.git("branch", "-D", BRANCH)
        with pytest.raises(WorkspaceError, match="is gone from the repository"):
            scene.put_right()

    def test_by_a_reviewer_nothing_is_lost(self, scene: Scene) -> None:
        shutil.rmtree(scene.tree.path)
        assert run(scene.workspace.discard(scene.since, "changed by the reviewer")) == ()
        assert scene.tree.read("host.txt") == "host"


class TestRewritten:
    def assert_joined(self, scene: Scene, word: str) -> None:
        (trouble,) = scene.put_right()
        assert trouble.kind == "rejoined", trouble
        assert word in trouble.text
        scene.hand_in()
        assert scene.tree.read("work.py") == "work"
        assert "work.py" in scene.tree.files(BRANCH)

    def test_an_amended_commit_of_the_hosts(self, scene: Scene) -> None:
        scene.tree.write("work.py", "work")
        scene.tree.git("add", "work.py")
        scene.tree.git("commit", "-q", "--amend", "-m", "mine now")
        amended = scene.tree.head()
        self.assert_joined(scene, "it rewrote")
        assert scene.root.git("merge-base", "--is-ancestor", amended, scene.told[0].ref) == ""

    def test_a_history_of_its_own(self, scene: Scene) -> None:
        scene.tree.git("checkout", "-q", "--orphan", "mine")
        scene.tree.commit("all anew", **{"work.py": "work"})
        self.assert_joined(scene, "a history of its own")

    def test_a_branch_without_commits(self, scene: Scene) -> None:
        scene.tree.git("checkout", "-q", "--orphan", "mine")
        scene.tree.write("work.py", "work")
        self.assert_joined(scene, "without commits")

    def test_its_own_commits_of_an_earlier_attempt(self, scene: Scene) -> None:
        scene.tree.commit("first", **{"work.py": "first"})
        scene.since = run(scene.workspace.snapshot())
        scene.tree.git("reset", "-q", "--hard", scene.base)
        scene.tree.commit("anew", **{"work.py": "work"})
        self.assert_joined(scene, "it rewrote")

    def test_a_reset_below_its_base_is_put_back(self, scene: Scene) -> None:
        scene.tree.git("reset", "-q", "--hard", "HEAD~1")
        scene.tree.write("work.py", "work")
        (trouble,) = scene.put_right()
        assert trouble.kind == "rewritten"
        assert "below what the work package started from" in trouble.text
        assert scene.kept("work.py") == "work"
        assert (scene.tree.head(), scene.tree.status()) == (scene.since.head, "")

    def test_commits_of_other_branches_in_its_place_are_put_back(self, scene: Scene) -> None:
        scene.root.commit("on main", **{"main.txt": "later"})
        scene.tree.git("checkout", "-q", "-b", "mine", "main")
        scene.tree.commit("work", **{"work.py": "work"})
        (trouble,) = scene.put_right()
        assert trouble.kind == "rewritten"
        assert "commits of other branches" in trouble.text
        assert scene.kept("work.py") == "work"
        assert (scene.tree.head(), scene.tree.git("branch", "--show-current")) == (scene.since.head, BRANCH)

    def test_an_unfinished_rebase_is_left_to_be_refused(self, scene: Scene) -> None:
        scene.root.commit("on main", **{"host.txt": "main"})
        scene.tree.git("rebase", "main", check=False)
        assert scene.put_right() == ()
        with pytest.raises(WorkspaceError, match="a rebase was left unfinished"):
            scene.hand_in()


class TestDeleted:
    @pytest.mark.parametrize("committed", [False, True])
    def test_most_of_the_tree_is_put_back_and_other_work_stays(self, scene: Scene, committed: bool) -> None:
        scene.tree.git("rm", "-r", "-q", "many")
        scene.tree.write("work.py", "work")
        if committed:
            scene.tree.commit("cleaned up")
        (trouble,) = scene.put_right()
        assert trouble.kind == "deleted"
        assert "20 of 25 files were deleted" in trouble.text
        assert scene.told[-1].ref in trouble.text
        assert "many/7.txt" not in scene.root.files(scene.told[-1].ref)
        scene.hand_in()
        assert {"many/7.txt", "work.py"} <= set(scene.tree.files(BRANCH))

    def test_where_it_is_allowed_it_is_work(self, scene: Scene) -> None:
        scene.tree.git("rm", "-r", "-q", "many")
        assert scene.put_right(replace(scene.want, deleted_share=100)) == ()


class TestLarge:
    def write(self, scene: Scene, name: str, bytes_: int) -> None:
        with (scene.tree.path / name).open("wb") as file:
            file.truncate(bytes_)

    def test_a_sparse_file_is_reported_and_moved_without_being_read(self, scene: Scene) -> None:
        self.write(scene, "model.bin", 64 * 1024 * MEGABYTE)  # git would need an hour for it
        scene.tree.write("work.py", "work")
        (trouble,) = scene.put_right()
        assert trouble.kind == "large"
        assert "model.bin (65536 MB)" in trouble.text
        assert "100 MB a file" in trouble.text
        folder = scene.told[-1].folder
        assert folder is not None
        assert (folder / "model.bin").stat().st_size == 64 * 1024 * MEGABYTE
        (folder / "model.bin").unlink()
        scene.hand_in()
        assert "work.py" in scene.tree.files(BRANCH)

    def test_committed_ones_are_taken_out_of_the_commits(self, scene: Scene) -> None:
        self.write(scene, "data.bin", 2 * MEGABYTE)
        scene.tree.commit("data", **{"work.py": "work"})
        (trouble,) = scene.put_right(replace(scene.want, file_limit=MEGABYTE))
        assert trouble.kind == "large"
        assert "data.bin (2 MB)" in trouble.text
        scene.hand_in()
        assert "work.py" in scene.tree.files(BRANCH)
        assert "data.bin" not in scene.root.git("log", "--name-only", "--format=", BRANCH)

    def test_too_much_altogether(self, scene: Scene) -> None:
        for number in range(3):
            self.write(scene, f"{number}.bin", MEGABYTE)
        (trouble,) = scene.put_right(replace(scene.want, change_limit=2 * MEGABYTE))
        assert trouble.kind == "large"
        scene.hand_in()
        assert len([name for name in scene.tree.files(BRANCH) if name.endswith(".bin")]) == 2

    def test_a_changed_file_is_as_it_was(self, scene: Scene) -> None:
        self.write(scene, "host.txt", 2 * MEGABYTE)
        (trouble,) = scene.put_right(replace(scene.want, file_limit=MEGABYTE))
        assert trouble.kind == "large"
        assert scene.tree.read("host.txt") == "host"
