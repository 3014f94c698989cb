"""What agents leave in a repository's git: commands that git would run, and harmless settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.git_repos import GitRepo

Plant = Callable[[GitRepo, GitRepo, str], object]
"""What an agent does in the repository and its worktree, so that git would run the command."""


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
