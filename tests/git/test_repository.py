"""The root checkout: the user's own work there is left alone, and merges are proven, not believed."""

from __future__ import annotations

import asyncio

import pytest
from kitty_run.errors import WorkspaceError
from kitty_run.git.repository import Repository
from kitty_run.git.root_state import AbortedMerge

from tests.git.workspaces.running import run
from tests.git_repos import GitRepo


@pytest.fixture
def repository(root: GitRepo) -> Repository:
    return Repository(root.path)


class TestLooking:
    def test_the_current_branch_is_none_when_detached(self, root: GitRepo, repository: Repository) -> None:
        assert run(repository.current_branch()) == "main"
        root.git("checkout", "-q", "--detach")
        assert run(repository.current_branch()) is None

    def test_resolves_refs_and_nothing_else(self, root: GitRepo, repository: Repository) -> None:
        assert run(repository.resolve("main")) == root.head()
        assert run(repository.resolve("no-such")) is None
        assert run(repository.resolve("--all")) is None

    def test_dirty_tracked_files_are_those_changed_or_staged(
        self, root: GitRepo, repository: Repository
    ) -> None:
        root.write("untracked.txt", "x")
        assert run(repository.dirty_tracked()) == ()
        root.write("src/app.py", "x")
        assert run(repository.dirty_tracked()) == ("src/app.py",)


class TestCommitStatus:
    def test_commits_the_missions_files_alone_and_leaves_the_users_staged_work_staged(
        self, root: GitRepo, repository: Repository
    ) -> None:
        root.write("src/app.py", "staged by the user")
        root.git("add", "-A")
        root.write("src/app.py", "and edited on")
        root.write("kitty-specs/m/status.json", "{}")
        (root.path / "kitty-specs/m/spec.md").unlink()
        root.write("kitty-specs/n/spec.md", "another mission")
        sha = run(repository.commit_status(root.path / "kitty-specs/m", "chore: status"))
        assert sha == root.head()
        assert root.git("show", "--name-status", "--format=%s", "HEAD").splitlines() == [
            "chore: status",
            "",
            "D\tkitty-specs/m/spec.md",
            "A\tkitty-specs/m/status.json",
        ]
        assert root.status().splitlines() == ["MM src/app.py", "?? kitty-specs/n/spec.md"]
        assert root.git("show", ":src/app.py") == "staged by the user"

    def test_commits_in_a_worktree_of_the_hosts_where_that_keeps_the_status(
        self, root: GitRepo, repository: Repository
    ) -> None:
        tree = root.worktree("m-coord", "status", "main")
        before = root.head()
        tree.write("kitty-specs/m/status.events.jsonl", "{}")
        tree.write("src/app.py", "not the host's status")
        sha = run(repository.commit_status(tree.path / "kitty-specs/m", "chore: status", tree.path))
        assert (sha, root.head()) == (tree.head(), before)
        assert tree.status().splitlines() == [" M src/app.py"]
        assert run(repository.commit_status(tree.path / "kitty-specs/m", "chore: status", tree.path)) is None

    def test_takes_no_other_checkout_for_a_worktree_that_is_none_any_more(
        self, root: GitRepo, repository: Repository
    ) -> None:
        tree = root.worktree("m-coord", "status", "main")
        tree.write("kitty-specs/m/status.events.jsonl", "{}")
        (tree.path / ".git").unlink()
        before = root.head()
        with pytest.raises(WorkspaceError, match=r"its \.git file is gone"):
            run(repository.commit_status(tree.path / "kitty-specs/m", "chore: status", tree.path))
        assert root.head() == before

    def test_gives_none_when_there_is_nothing(self, root: GitRepo, repository: Repository) -> None:
        root.write("src/app.py", "the user's")
        assert run(repository.commit_status(root.path / "kitty-specs/m", "chore: status")) is None

    def test_is_refused_in_the_middle_of_the_users_merge(self, root: GitRepo, repository: Repository) -> None:
        conflict(root)
        root.write("kitty-specs/m/status.json", "{}")
        with pytest.raises(WorkspaceError, match="merge"):
            run(repository.commit_status(root.path / "kitty-specs/m", "chore: status"))

    def test_waits_for_another_git_at_the_root(self, root: GitRepo, repository: Repository) -> None:
        root.write("kitty-specs/m/status.json", "{}")
        lock = root.write(".git/index.lock", "")

        async def commit_while_locked() -> str | None:
            call = asyncio.create_task(repository.commit_status(root.path / "kitty-specs/m", "chore: status"))
            asyncio.get_running_loop().call_later(0.3, lock.unlink)
            return await call

        assert run(commit_while_locked()) == root.head()


def work(root: GitRepo, name: str, base: str = "main", **files: str) -> str:
    """A work package's commit on a branch of its own."""
    return root.worktree(name, name, base).commit(name, **files)


def conflict(root: GitRepo) -> str:
    """Leave the root in the middle of a merge of `theirs`; returns that branch's commit."""
    theirs = work(root, "theirs", **{"src/app.py": "theirs\n"})
    root.commit("ours", **{"src/app.py": "ours\n"})
    root.git("merge", "theirs", check=False)
    return theirs


def missing(repository: Repository, **heads: str) -> dict[str, tuple[str, ...]]:
    return {each.wp: each.files for each in run(repository.verify_merged("main", heads))}


class TestVerifyMerged:
    def test_a_merged_branch_is_there_and_an_unmerged_one_is_not(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"one.py": "1"})
        two = work(root, "WP02", **{"two.py": "2"})
        root.git("merge", "-q", "--no-edit", "WP01")
        assert missing(repository, WP01=one, WP02=two) == {"WP02": ("two.py",)}

    def test_squashed_work_is_there_although_its_branches_are_gone(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"one.py": "1", "src/app.py": "one\nTWO\nthree\n"})
        two = work(root, "WP02", "WP01", **{"one.py": "1 changed by WP02"})
        root.git("merge", "-q", "--squash", "WP02")
        root.commit("squashed")
        for name in ("WP01", "WP02"):
            root.git("worktree", "remove", str(root.path / ".worktrees" / name))
            root.git("branch", "-qD", name)
        root.commit("later work elsewhere", **{"other.py": "x"})
        assert missing(repository, WP01=one, WP02=two) == {}

    def test_rebased_work_is_there(self, root: GitRepo, repository: Repository) -> None:
        one = work(root, "WP01", **{"one.py": "1"})
        root.commit("meanwhile", **{"other.py": "x"})
        root.git("cherry-pick", one)
        assert missing(repository, WP01=one) == {}

    def test_squashed_work_whose_neighbouring_lines_changed_is_named_rather_than_believed(
        self, root: GitRepo, repository: Repository
    ) -> None:
        lines = [f"line {n}\n" for n in range(20)]
        root.commit("long", **{"long.py": "".join(lines)})
        lines[10] = "line of WP01\n"
        one = work(root, "WP01", **{"long.py": "".join(lines)})
        root.git("merge", "-q", "--squash", "WP01")
        root.commit("squashed")
        lines[11:] = ["changed by somebody later\n"]
        root.commit("later", **{"long.py": "".join(lines)})
        assert missing(repository, WP01=one) == {"WP01": ("long.py",)}

    def test_of_two_squashed_packages_one_dropped_is_named_with_its_files(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"one.py": "1"})
        two = work(root, "WP02", **{"two.py": "2", "src/app.py": "one\ntwo\nTHREE\n"})
        root.git("merge", "-q", "--squash", "WP01")
        root.commit("squashed")
        assert missing(repository, WP01=one, WP02=two) == {"WP02": ("src/app.py", "two.py")}

    def test_partly_merged_work_names_only_what_is_missing(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"one.py": "1", "two.py": "2"})
        root.commit("half", **{"one.py": "1"})
        assert missing(repository, WP01=one) == {"WP01": ("two.py",)}

    def test_a_dependency_is_asked_for_by_itself_when_its_dependent_is_missing(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"one.py": "1"})
        two = work(root, "WP02", "WP01", **{"two.py": "2"})
        root.git("merge", "-q", "--squash", "WP01")
        root.commit("squashed")
        assert missing(repository, WP01=one, WP02=two) == {"WP02": ("two.py",)}

    def test_a_reverted_merge_of_squashed_work_is_missing(
        self, root: GitRepo, repository: Repository
    ) -> None:
        one = work(root, "WP01", **{"src/app.py": "one\nTWO\nthree\n"})
        root.git("merge", "-q", "--squash", "WP01")
        root.commit("squashed")
        root.git("revert", "--no-edit", "HEAD")
        assert missing(repository, WP01=one) == {"WP01": ("src/app.py",)}

    def test_a_commit_that_is_gone_is_said_so(self, root: GitRepo, repository: Repository) -> None:
        found = run(repository.verify_merged("main", {"WP01": "1" * 40}))
        assert [(each.wp, each.reason) for each in found] == [
            ("WP01", f"its commit {'1' * 40} is not in the repository")
        ]

    def test_an_unknown_target_is_an_error(self, root: GitRepo, repository: Repository) -> None:
        with pytest.raises(WorkspaceError, match="no-such"):
            run(repository.verify_merged("no-such", {"WP01": root.head()}))

    def test_nothing_to_verify_is_verified(self, repository: Repository) -> None:
        assert missing(repository) == {}


class TestAbortMerge:
    def test_undoes_a_merge_of_kept_work(self, root: GitRepo, repository: Repository) -> None:
        theirs = conflict(root)
        assert run(repository.merging()) == theirs
        assert run(repository.abort_merge("m", {"WP01": theirs})) == AbortedMerge(theirs, ("src/app.py",))
        assert run(repository.merging()) is None
        assert root.read("src/app.py") == "ours\n"

    def test_leaves_the_users_own_merge(self, root: GitRepo, repository: Repository) -> None:
        theirs = conflict(root)
        run(repository.keep("m", "WP01", theirs))  # a ref is no proof: whoever commits can make it
        assert not run(repository.abort_merge("m", {"WP01": root.head()}))
        assert "UU src/app.py" in root.status()

    def test_has_nothing_to_do_without_a_merge(self, repository: Repository) -> None:
        assert not run(repository.abort_merge("m", {}))


class TestCleanup:
    def clean(self, root: GitRepo, repository: Repository) -> tuple[bool, bool]:
        """Whether worktree and branch of WP01 are there after the clean-up."""
        path = root.path / ".worktrees/WP01"
        run(repository.cleanup([path], ["WP01"], "main"))
        return path.exists(), bool(root.git("branch", "--list", "WP01"))

    def test_removes_what_is_merged_and_clean(self, root: GitRepo, repository: Repository) -> None:
        work(root, "WP01", **{"one.py": "1"})
        root.git("merge", "-q", "--no-edit", "WP01")
        assert self.clean(root, repository) == (False, False)

    def test_keeps_a_worktree_with_uncommitted_work(self, root: GitRepo, repository: Repository) -> None:
        work(root, "WP01", **{"one.py": "1"})
        root.git("merge", "-q", "--no-edit", "WP01")
        root.write(".worktrees/WP01/loose.py", "loose")
        assert self.clean(root, repository) == (True, True)

    def test_keeps_what_is_not_merged(self, root: GitRepo, repository: Repository) -> None:
        work(root, "WP01", **{"one.py": "1"})
        assert self.clean(root, repository) == (True, True)

    def test_keeps_a_directory_that_is_no_worktree_of_the_repository(
        self, root: GitRepo, repository: Repository
    ) -> None:
        root.write(".worktrees/WP01/mine.txt", "mine")
        assert self.clean(root, repository) == (True, False)


class TestKeep:
    def test_keeps_work_findable_and_earlier_work_in_the_reflog(
        self, root: GitRepo, repository: Repository
    ) -> None:
        first = work(root, "WP01", **{"one.py": "1"})
        run(repository.keep("m", "WP01", first))
        root.git("worktree", "remove", str(root.path / ".worktrees/WP01"))
        root.git("branch", "-qD", "WP01")
        again = work(root, "WP01", **{"one.py": "2"})
        run(repository.keep("m", "WP01", again))
        root.git("-c", "gc.pruneExpire=now", "gc", "-q")
        assert root.head("refs/kitty-run/m/WP01") == again
        assert root.head("refs/kitty-run/m/WP01@{1}") == first
        assert root.git("cat-file", "-t", first) == "commit"
