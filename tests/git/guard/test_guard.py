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

from tests.git_repos import GitRepo, make_repo

Plant = Callable[[GitRepo, GitRepo, str], object]
"""What an agent does in the repository and its worktree, so that git would run the command."""


@pytest.fixture
def root(tmp_path: Path) -> GitRepo:
    made = make_repo(tmp_path / "project")
    made.git("config", "extensions.worktreeConfig", "true")
    made.git("config", "filter.known.clean", "cat")
    made.git("config", "remote.origin.url", "https://example.com/a.git")
    make_repo(tmp_path / "lib")
    made.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "sub")
    made.commit("a submodule")
    return made


@pytest.fixture
def tree(root: GitRepo) -> GitRepo:
    return root.worktree("m-WP01", "m-WP01")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


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


def program(tmp_path: Path, root: GitRepo) -> str:
    """A command that leaves a trace wherever git runs it."""
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\ncat\n")
    script.chmod(0o755)
    return str(script)


def hook(folder: Path, command: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pre-commit").unlink(missing_ok=True)
    (folder / "pre-commit").symlink_to(command)


def attributes(tree: GitRepo, text: str) -> None:
    tree.write(".gitattributes", text)


def included(root: GitRepo, tree: GitRepo, command: str, key: str) -> None:
    tree.write("planted.cfg", f'[filter "evil"]\n\tclean = {command}\n')
    attributes(tree, "* filter=evil\n")
    root.git("config", key, str(tree.path / "planted.cfg"))


def filtered(at: GitRepo, tree: GitRepo, command: str, *options: str) -> None:
    attributes(tree, "* filter=evil diff=evil merge=evil\n")
    at.git("config", *options, "filter.evil.clean", command)


def worktree_config(root: GitRepo, tree: GitRepo, command: str) -> None:
    assert root.git("config", "extensions.worktreeConfig") == "true"
    filtered(tree, tree, command, "--worktree")


def by_info_attributes(root: GitRepo, _: GitRepo, command: str) -> None:
    root.write(".git/info/attributes", "* filter=known\n")
    root.git("config", "filter.known.clean", command)


PLANTED: dict[str, Plant] = {
    "filter": filtered,
    "process": lambda root, tree, command: (
        attributes(tree, "* filter=evil\n"),
        root.git("config", "filter.evil.process", command),
    ),
    "known filter": by_info_attributes,
    "include": lambda root, tree, command: included(root, tree, command, "include.path"),
    "includeIf": lambda root, tree, command: included(root, tree, command, "includeIf.gitdir:/**.path"),
    "worktree": worktree_config,
    "fsmonitor": lambda root, _, command: root.git("config", "core.fsmonitor", command),
    "hooks path": lambda root, _, command: (
        hook(root.path / "mine", command),
        root.git("config", "core.hooksPath", str(root.path / "mine")),
    ),
    "hook": lambda root, _, command: hook(root.path / ".git" / "hooks", command),
    "hooks linked": lambda root, tree, command: (
        hook(tree.path / "mine", command),
        (root.path / ".git" / "hooks").rename(root.path / ".git" / "hooks.away"),
        (root.path / ".git" / "hooks").symlink_to(tree.path / "mine"),
    ),
    "ssh": lambda root, _, command: root.git("config", "core.sshCommand", command),
    "editor": lambda root, _, command: root.git("config", "core.editor", command),
    "pager": lambda root, _, command: root.git("config", "core.pager", command),
    "diff": lambda root, _, command: root.git("config", "diff.external", command),
    "textconv": lambda root, tree, command: (
        attributes(tree, "* diff=evil\n"),
        root.git("config", "diff.evil.textconv", command),
    ),
    "merge driver": lambda root, _, command: root.git("config", "merge.evil.driver", command),
    "a host's driver": lambda root, _, command: root.git(
        "config", "merge.spec-kitty-event-log.driver", f"spec-kitty merge %A; {command}"
    ),
    "credential": lambda root, _, command: root.git("config", "credential.helper", command),
    "alias": lambda root, _, command: root.git("config", "alias.status", f"!{command}"),
    "remote": lambda root, *_: root.git("config", "remote.origin.url", "https://evil.example.com/"),
    "push target": lambda root, *_: root.git("config", "branch.main.remote", "./evil"),
    "bare": lambda root, *_: root.git("config", "core.bare", "true"),
    "worktree key": lambda root, *_: root.git("config", "core.worktree", "/"),
    "merge options": lambda root, *_: root.git("config", "branch.main.mergeOptions", "-s ours"),
    "alternates": lambda root, *_: root.write(".git/objects/info/alternates", "/elsewhere\n"),
    "grafts": lambda root, *_: root.write(".git/info/grafts", f"{root.head()}\n"),
    "exclude": lambda root, *_: root.write(".git/info/exclude", "*\n"),
    "shallow": lambda root, *_: root.write(".git/shallow", f"{root.head()}\n"),
    "replace": lambda root, *_: root.git("replace", root.head(), root.commit("other")),
    "behind much": lambda root, *_: (
        (root.path / ".git" / "config").open("a").write("# \n" * (2 << 20) + "[core]\n\tfsmonitor = evil\n")
    ),
    "submodule": lambda root, _, command: GitRepo(root.path / "sub").git("config", "filter.a.clean", command),
    "unreadable": lambda root, *_: root.write(".git/config", "[core\n"),
    "removed": lambda root, *_: (root.path / ".git" / "config").unlink(),
}


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


LOCAL = "protocol.file.allow=always"
HARMLESS: dict[str, Callable[[GitRepo, GitRepo], object]] = {
    "name": lambda _, tree: tree.git("config", "user.name", "Agent"),
    "branch": lambda root, tree: (
        tree.git("branch", "--track", "more", "main"),
        tree.git("branch", "-D", "more"),
    ),
    "upstream": lambda _, tree: tree.git("branch", "--set-upstream-to", "main"),
    "commit": lambda _, tree: tree.commit("mine", mine="x\n"),
    "packed": lambda _, tree: (tree.git("gc"), tree.git("update-server-info")),
    "quiet": lambda _, tree: [
        tree.git("config", key, value)
        for key, value in (("commit.gpgsign", "false"), ("core.pager", "cat"), ("core.editor", "true"))
    ],
    "stash": lambda _, tree: (tree.write("src/app.py", "two\n"), tree.git("stash")),
    "worktree": lambda root, _: root.worktree("more", "more"),
    "sparse": lambda _, tree: tree.git("sparse-checkout", "set", "--no-cone", "/*", "!/kitty-specs/"),
    "submodule": lambda _, tree: tree.git("-c", LOCAL, "submodule", "add", str(tree.path.parents[2] / "lib")),
    "driver": lambda root, _: root.git(
        "config", "merge.spec-kitty-meta.driver", "spec-kitty merge-driver-meta %O %A %B"
    ),
}


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
