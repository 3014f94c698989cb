"""What an agent's own git may write while it works: an allow-list, since nobody knows all of git's keys."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from pathlib import Path

from kitty_run.git.guard.governed import LARGEST, KeptFile

Entry = tuple[str, str]
"""A key as git prints it (section and name in small letters) and its value; of a key alone, no value."""

ANYTHING = re.compile(r"(?s).*")
BOOLEAN = re.compile(r"(?i)(true|false|yes|no|on|off|1|0|)")
HOST_DRIVER = re.compile(r"spec-kitty [a-z-]+( %[A-Za-z])+")
WORD = re.compile(r"[\w-]*")

ALLOWED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (r"(user|author|committer)\.(name|email)", ANYTHING),
    (r"branch\..+\.(merge|rebase|description|vscode-merge-base|gk-merge-base)", ANYTHING),
    (r"(advice|color)\..+", ANYTHING),
    (r"(init\.defaultbranch|push\.(default|autosetupremote)|pull\.(ff|rebase))", WORD),
    # What hosts write: their worktrees leave files out, and their own records are merged by themselves.
    (r"core\.repositoryformatversion", re.compile("[01]")),
    (r"submodule\..+\.active", BOOLEAN),
    (r"submodule\..+\.url", ANYTHING),  # what is fetched from there is what the reviewed commit names
    (r"core\.sparsecheckout(cone)?|extensions\.worktreeconfig|index\.sparse", BOOLEAN),
    (r"merge\.spec-kitty-[a-z-]+\.name", ANYTHING),
    (r"merge\.spec-kitty-[a-z-]+\.driver", HOST_DRIVER),
    # What agents set for themselves, so that nothing asks or pages.
    (r"(commit|tag)\.gpgsign", re.compile("(?i)false|no|off|0")),
    (r"core\.(pager|editor)", re.compile("cat|true|:")),
    (r"core\.quotepath", BOOLEAN),
    # What git-lfs and gh note for themselves.
    (r"lfs\.repositoryformatversion|lfs\..+\.access|remote\..+\.gh-resolved", WORD),
)
RULES = tuple((re.compile(key), value) for key, value in ALLOWED)
REMOTE = re.compile(r"branch\..+\.(remote|pushremote)|remote\.pushdefault")
HOST_ATTRIBUTE = re.compile(rb"kitty-specs/\S+ merge=spec-kitty-[a-z-]+")
OWN_FILES = re.compile(r"worktrees/[^/]+/(commondir|gitdir|info/sparse-checkout)")
"""Of a worktree that is new: git writes them when it is made."""
SERVED = "info/refs"
"""For servers without git; git reads it nowhere."""


PLAIN = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|worktree)"
    r"|extensions\.objectformat|remote\..+\.(url|fetch)|branch\..+\.(remote|merge)|submodule\..+"
    r"|user\.(name|email)|lfs\.repositoryformatversion"
)
"""Keys that git itself writes when it makes a repository; none of them runs anything when it is looked at."""


async def entries(data: bytes) -> tuple[Entry, ...] | None:
    """What a configuration file says, in git's own reading; None where git can't read it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CEILING_DIRECTORIES": "/"}
    process = await asyncio.create_subprocess_exec(
        *("git", "config", "--file", "-", "--no-includes", "--null", "--list"),
        cwd="/",
        env=clean,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,
    )
    out, _ = await process.communicate(data)
    if process.returncode != 0:
        return None
    items = [item.partition("\n") for item in os.fsdecode(out).split("\0") if item]
    return tuple((key, value) for key, _, value in items)


async def planted(path: str, before: KeptFile | None, now: KeptFile | None) -> tuple[str, ...]:
    """What must be put back of the file at `path`, in words; nothing where its change is harmless."""
    if before == now:
        return ()
    if now is not None and len(now.data) > LARGEST:
        return (f"{path} was made larger than {LARGEST >> 20} MiB",)
    if _is_config(path) and now is not None and not now.link:
        return await _of_config(path, before, now)
    if (
        (now is None and "modules/" in path)  # of a submodule that is gone: git says so itself
        or path == SERVED
        or (before is None and OWN_FILES.fullmatch(path))
        or (path == "info/attributes" and _hosts_own(before, now))
    ):
        return ()
    how = "added" if before is None else "removed" if now is None else "changed"
    return (f"{path} was {how}",)


def _is_config(path: str) -> bool:
    return path.rpartition("/")[2] in {"config", "config.worktree"} or path.startswith("/")


async def _of_config(path: str, before: KeptFile | None, now: KeptFile) -> tuple[str, ...]:
    had = await entries(before.data) if before is not None else ()
    has = await entries(now.data)
    if has is None:
        return (f"{path} was made unreadable",)
    old, new = Counter(had or ()), Counter(has)
    named = (re.fullmatch(r"remote\.(.+)\.url", key) for key, _ in had or ())
    remotes = {found[1] for found in named if found}
    module = "modules/" in path

    def matters(entry: Entry) -> bool:
        return not (PLAIN.fullmatch(entry[0]) if module else _is_harmless(entry, remotes))

    added, removed = ([entry for entry in some if matters(entry)] for some in (new - old, old - new))
    keys = {key for key, _ in added} & {key for key, _ in removed}
    changes = [f"{path}: {key} was {'changed' if key in keys else 'added'}" for key, _ in added]
    return tuple(changes + [f"{path}: {key} was removed" for key, _ in removed if key not in keys])


def _is_harmless(entry: Entry, remotes: set[str]) -> bool:
    key, value = entry
    if REMOTE.fullmatch(key):  # what is no remote's name is taken for a path or an address
        return value in {".", *remotes}
    return any(name.fullmatch(key) and allowed.fullmatch(value) for name, allowed in RULES)


def _hosts_own(before: KeptFile | None, now: KeptFile | None) -> bool:
    """Whether the lines that came or went are those with which a host has its own records merged."""
    lines = [Counter(kept.data.split(b"\n") if kept and not kept.link else ()) for kept in (before, now)]
    differing = (lines[0] - lines[1]) + (lines[1] - lines[0])
    return all(not line or HOST_ATTRIBUTE.fullmatch(line) for line in differing)


def included(config: tuple[Entry, ...], shared: Path) -> tuple[str, ...]:
    """The files, absolute, that a configuration in `shared` includes, on whatever condition."""
    names = [value for key, value in config if re.fullmatch(r"include(if\..*)?\.path", key) and value]
    return tuple(dict.fromkeys(str(shared / os.path.expanduser(name)) for name in names))  # noqa: PTH111
