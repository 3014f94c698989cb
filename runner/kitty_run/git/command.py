"""Git as the runner calls it: no prompt, no hook, no pager, no surprise from the caller's environment."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.errors import KittyRunError, WorkspaceError
from kitty_run.git.guard.guard import look
from kitty_run.git.layout import check_belongs, common_dir, git_dir, missing
from kitty_run.git.settings import COMMON, QUIET, VARIABLES
from kitty_run.machine import OF_THE_MACHINE, MachineFault, full
from kitty_run.process_group import end_group

TIMEOUT = 600.0
"""Seconds for one git command; a worktree of a large repository takes some tens."""
KILL_GRACE = 5.0
FALLBACK_IDENTITY = {"user.name": "kitty-run", "user.email": "kitty-run@localhost"}

SETTINGS = {
    **COMMON,
    "core.quotePath": "off",
    "advice.detachedHead": "false",
    "advice.addEmbeddedRepo": "false",
    "diff.context": "3",
    "diff.submodule": "short",
    "apply.whitespace": "nowarn",
    "commit.cleanup": "whitespace",
}
"""For every call: what would change what is read here, or what a commit says, is as git has it by default."""

OPTIONS = tuple(part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}"))


@dataclass(frozen=True, slots=True)
class Reply:
    """What one git command left: exit status, output (undecodable bytes as surrogates), complaints."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one directory; `extra` is added to the environment of every call.

    `rooted`: the checkout must begin at `cwd` itself. A linked worktree whose `.git` file was removed
    lies inside the root checkout, and git would otherwise work on that one instead. `root`: the checkout
    must be a linked worktree of the repository there.
    """

    cwd: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    rooted: bool = False
    root: Path | None = None

    async def run(self, *args: str, stdin: str | None = None) -> str:
        """Standard output; raises `refused` with git's words on any exit status but 0."""
        reply = await self.call(*args, stdin=stdin)
        if reply.status != 0:
            raise self.refused(args, reply)
        return reply.stdout

    async def line(self, *args: str) -> str:
        """Standard output without its line end."""
        return (await self.run(*args)).rstrip("\n")

    async def paths(self, *args: str) -> tuple[str, ...]:
        """The NUL-separated items of standard output (for commands called with `-z`)."""
        return tuple(item for item in (await self.run(*args)).split("\0") if item)

    async def commit_of(self, name: str) -> str | None:
        """The commit that `name` (a ref, or anything else that git takes for one) leads to, or None."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        reply = await self.call(*asked)
        return reply.stdout.strip() if reply.status == 0 else None

    async def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` or one of those before it."""
        return await self.ok("merge-base", "--is-ancestor", ancestor, commit)

    async def branch(self) -> str | None:
        """The branch that is checked out; None: detached."""
        reply = await self.call("symbolic-ref", "--quiet", "--short", "HEAD")
        return reply.stdout.strip() if reply.status == 0 else None

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """A commit of `tree` that no ref leads to yet."""
        named = [part for parent in parents for part in ("-p", parent)]
        return await self.line(*await self.identity(), "commit-tree", tree, *named, "-m", message)

    async def ok(self, *args: str) -> bool:
        """Whether the exit status is 0."""
        return (await self.call(*args)).status == 0

    async def call(self, *args: str, stdin: str | None = None) -> Reply:
        """One command, whatever its exit status. When cancelled, git is ended first and cleans up."""
        process = await self._start(args, PIPE if stdin is not None else DEVNULL)
        sent = None if stdin is None else os.fsencode(stdin)
        try:
            async with asyncio.timeout(TIMEOUT):
                out, err = await process.communicate(sent)
        except TimeoutError:
            raise WorkspaceError(f"{self.cwd}: no end after {TIMEOUT:.0f} s of {_shown(args)}") from None
        finally:
            await end_group(process, KILL_GRACE)
        return Reply(process.returncode or 0, os.fsdecode(out), err.decode(errors="replace"))

    async def beginning(self, limit: int, *args: str) -> tuple[bytes, bool]:
        """At most `limit` bytes of standard output, and whether there was more."""
        found = bytearray()
        async with self.blocks(*args) as blocks:
            async for block in blocks:
                found += block
                if len(found) > limit:
                    break
        return bytes(found[:limit]), len(found) > limit

    @asynccontextmanager
    async def blocks(self, *args: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Standard output as it comes, for as long as it is read; raises as `run` does at its end."""
        process = await self._start(args, DEVNULL, stderr=DEVNULL)
        ended = False

        async def read() -> AsyncIterator[bytes]:
            nonlocal ended
            while block := await _stdout(process).read(1 << 20):
                yield block
            ended = True

        try:
            async with asyncio.timeout(TIMEOUT):
                yield read()
                if ended:
                    await process.wait()
        except TimeoutError:
            raise WorkspaceError(f"{self.cwd}: no end after {TIMEOUT:.0f} s of {_shown(args)}") from None
        finally:
            await end_group(process, KILL_GRACE)
        if ended and process.returncode != 0:
            raise self.refused(args, Reply(process.returncode or 0, "", ""))

    async def identity(self) -> tuple[str, ...]:
        """Options that make up for a missing name or address, so that a commit is never refused for that."""
        reply = await self.call("config", "--get-regexp", r"^user\.(name|email)$")
        known = {line.split(" ", 1)[0] for line in reply.stdout.splitlines() if " " in line}
        missing = {name: value for name, value in FALLBACK_IDENTITY.items() if name not in known}
        return tuple(part for name, value in missing.items() for part in ("-c", f"{name}={value}"))

    async def unknown_identity(self) -> Mapping[str, str]:
        """Settings without which git would refuse to commit here, since it knows nobody to commit as."""
        if await self.ok("var", "GIT_AUTHOR_IDENT") and await self.ok("var", "GIT_COMMITTER_IDENT"):
            return {}
        options = await self.identity()
        missing = dict(option.split("=", 1) for option in options if option != "-c")
        return missing or FALLBACK_IDENTITY

    def refused(self, args: tuple[str, ...], reply: Reply) -> KittyRunError:
        """The error for a command that git refused: `WorkspaceError`, or `MachineFault`."""
        if self.rooted and (gone := missing(self.cwd)):
            return gone
        words = printable(reply.stderr.strip() or reply.stdout.strip())
        if fault := MachineFault.said_by(_shown(args), self.cwd, words) or self._full():
            return fault
        cause = _cause(words)
        rest = f"\n{words[-2000:]}" if words and words != cause else ""
        return WorkspaceError(
            f"{self.cwd}: git failed: {cause[:500]} (exit status {reply.status} of {_shown(args)}){rest}"
        )

    def _full(self) -> MachineFault | None:
        """Why nothing can be written where git writes: not all of its complaints say that."""
        places = [self.cwd]
        with suppress(WorkspaceError):
            places.append(common_dir(git_dir(self.cwd)))
        return full(*places)

    async def _start(self, args: tuple[str, ...], stdin: int, stderr: int = PIPE) -> Process:
        await look()
        if self.root is not None:
            check_belongs(self.cwd, self.root)
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                "git",
                *OPTIONS,
                *args,
                cwd=self.cwd,
                env=self._environment(),
                stdin=stdin,
                stdout=PIPE,
                stderr=stderr,
                start_new_session=True,  # ^C is the runner's to handle, never git's in the middle of a commit
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled half way through a start, asyncio 3.11 may wait for ever for pipes never connected.
            with suppress(OSError):
                await end_group(await starting, KILL_GRACE)
            raise
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise MachineFault.starting("git", self.cwd, error) from error
            unstarted = WorkspaceError(f"{self.cwd}: git can't be started: {error}")
            raise (unstarted if self.cwd.is_dir() else missing(self.cwd) or unstarted) from error

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name in VARIABLES
        }
        ceiling = {"GIT_CEILING_DIRECTORIES": str(self.cwd.parent)} if self.rooted else {}
        return {**kept, **QUIET, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **ceiling, **self.extra}


def printable(text: str) -> str:
    """`text` with what is not UTF-8 in it (names of files) replaced, so that it can be written anywhere."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _cause(words: str) -> str:
    """The line in which git says why it failed: the last error, else the last that is no advice."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
    others = [line for line in lines if not line.startswith(("hint:", "warning:"))]
    return (errors or others or lines or ["it gave no reason"])[-1]


def _stdout(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise WorkspaceError("git was started without an output")
    return process.stdout


def _shown(args: tuple[str, ...]) -> str:
    return f"`git {printable(' '.join(args))[:300]}`"
