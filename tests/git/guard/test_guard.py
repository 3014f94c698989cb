"""What git obeys is put back after agents changed it, and never obeyed meanwhile."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.errors import UsageError
from kitty_run.git.guard.guard import Guard, Restored, guarding
from kitty_run.git.guard.unusable import refuse_unusable
from kitty_run.git.workspaces.workspace import Workspace

from tests.git.guard.planted import HARMLESS, PLANTED, filtered, program
from tests.git_repos import GitRepo

pytestmark = pytest.mark.whole


def governed(root: GitRepo) -> dict[str, bytes]:
    folder = root.path / ".git"
    names = (
        "config",
        "config.worktree",
        "hooks",
        "info",
        "worktrees",
        "objects/info",
        "shallow",
        "refs/replace",
    )
    files = [path for name in names for path in [folder / name, *(folder / name).rglob("*")]]
    # Git itself writes these while it works.
    own = {"index", "logs", "HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "refs"}
    return {
        str(path): path.read_bytes()
        for path in files
        if path.is_file() and own.isdisjoint(path.relative_to(folder).parts[2:])
    }


def attempt(guard: Guard, work: Callable[[], object], after: Callable[[], object] = lambda: None) -> None:
    """`work` done by an agent; `after` while another agent still works."""

    async def scenario() -> None:
        async with guard.watching("run/WP02/implement-1"):
            async with guard.watching("run/WP01/implement-1"):
                work()
            after()

    asyncio.run(scenario())


@pytest.mark.parametrize("name", list(PLANTED))
def test_what_an_agent_plants_is_put_back_and_never_run(
    tmp_path: Path, root: GitRepo, tree: GitRepo, store: Path, name: str
) -> None:
    told: list[Restored] = []
    guard = Guard(root.path, store)
    guard.attach(told.append)
    before = governed(root)
    command = program(tmp_path, root)

    def work() -> None:
        tree.write("work.txt", "work\n")
        PLANTED[name](root, tree, command)
        (tmp_path / "ran").unlink(missing_ok=True)  # the agent's own git may run what it likes

    async def scenario() -> None:
        async with guard.watching("run/WP02/implement-1"):
            async with guard.watching("run/WP01/implement-1"):
                work()
            assert governed(root) == before
            await Workspace(tree.path, root.path).commit("work")
            await Workspace(tree.path, root.path).snapshot()

    with guarding(guard):
        asyncio.run(scenario())
    assert not (tmp_path / "ran").exists()
    assert governed(root) == before
    assert told
    assert told[0].during == ("run/WP02/implement-1", "run/WP01/implement-1")
    assert all(path.exists() for one in told if (path := one.kept))


def test_a_command_that_is_planted_while_an_agent_works_is_put_back_before_the_runners_git(
    tmp_path: Path, root: GitRepo, tree: GitRepo, store: Path
) -> None:
    guard = Guard(root.path, store)
    command = program(tmp_path, root)

    async def scenario() -> None:
        async with guard.watching("run/WP02/implement-1"):
            filtered(root, tree, command)
            await Workspace(tree.path, root.path).commit("work")

    with guarding(guard):
        asyncio.run(scenario())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", list(HARMLESS))
def test_what_plain_git_writes_is_left_alone(root: GitRepo, tree: GitRepo, store: Path, name: str) -> None:
    told: list[Restored] = []
    guard = Guard(root.path, store)
    guard.attach(told.append)
    made: dict[str, bytes] = {}

    def work() -> None:
        HARMLESS[name](root, tree)
        made.update(governed(root))

    attempt(guard, work)
    assert told == []
    assert governed(root) == made


def test_what_the_user_changes_while_no_agent_works_stays(root: GitRepo, store: Path) -> None:
    told: list[Restored] = []
    guard = Guard(root.path, store)
    guard.attach(told.append)
    attempt(guard, lambda: None)
    root.git("config", "core.sshCommand", "ssh -v")
    attempt(guard, lambda: None)
    assert root.git("config", "core.sshCommand") == "ssh -v"
    assert told == []


def test_a_worktree_that_is_removed_meanwhile_is_not_brought_back(
    root: GitRepo, tree: GitRepo, store: Path
) -> None:
    guard = Guard(root.path, store)
    attempt(guard, lambda: root.git("worktree", "remove", "--force", str(tree.path)))
    assert not (root.path / ".git" / "worktrees" / "m-WP01").exists()


def test_a_file_that_a_configuration_includes_is_kept_too(root: GitRepo, store: Path) -> None:
    mine = root.write("own.cfg", "[include]\n\tpath = deeper.cfg\n")
    root.git("config", "include.path", str(mine))
    guard = Guard(root.path, store)
    attempt(guard, lambda: mine.write_text('[filter "evil"]\n\tclean = evil\n'))
    assert mine.read_text() == "[include]\n\tpath = deeper.cfg\n"


def test_after_a_kill_the_next_run_puts_back_what_the_attempt_changed(root: GitRepo, store: Path) -> None:
    before = governed(root)

    kept = store.with_name("kept")

    async def working() -> None:
        async with Guard(root.path, store).watching("run/WP01/implement-1"):
            shutil.copytree(store, kept)

    asyncio.run(working())
    shutil.copytree(kept, store, dirs_exist_ok=True)  # as a kill leaves it
    root.git("config", "core.fsmonitor", "evil")
    told: list[Restored] = []

    async def following() -> None:
        guard = Guard(root.path, store)
        await guard.recover()
        assert governed(root) == before
        root.git("config", "core.pager", "what the killed run's agent did last")
        guard.attach(told.append)
        await guard.recovered()

    asyncio.run(following())
    assert governed(root) == before
    assert [one.changed for one in told] == [
        ("config: core.fsmonitor was added",),
        ("config: core.pager was added",),
    ]
    attempt(Guard(root.path, store), lambda: None)
    root.git("config", "core.pager", "less")
    asyncio.run(Guard(root.path, store).recover())
    assert root.git("config", "core.pager") == "less", "no attempt was under way"


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("core.bare", "true", "config --unset-all core.bare"),
        ("core.worktree", "/elsewhere", "config --unset-all core.worktree"),
        ("filter.large.required", "true", "config filter.large.required false"),
    ],
)
def test_settings_that_keep_work_from_being_done_are_named_with_what_to_do(
    root: GitRepo, key: str, value: str, fix: str
) -> None:
    root.commit("attributes", **{".gitattributes": "*.bin filter=large\n"})
    root.git("config", "filter.large.clean", "no-such-program-anywhere %f")
    asyncio.run(refuse_unusable(root.path))
    root.git("config", key, value)
    with pytest.raises(UsageError, match=fix):
        asyncio.run(refuse_unusable(root.path))
