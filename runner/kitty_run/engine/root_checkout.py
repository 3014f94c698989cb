"""The root checkout, looked at before each host call: whatever is in its way there is not called into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kitty_run.engine.decisions.root_obstacles import CODES, Demands, dirty, obstacle
from kitty_run.git.command import Git
from kitty_run.git.protocols import RepositoryPort
from kitty_run.git.repository import Repository
from kitty_run.host.model import HostRefused
from kitty_run.host.protocol import Host
from kitty_run.profile.finish import Finish
from kitty_run.text.commands import git_at


async def root_checkout(host: Host, finish: Finish, repo: Path, mission: str) -> RootCheckout:
    """That of `mission` in `repo`; to be made while a branch is checked out that holds the mission."""
    repository = Repository(repo)
    now = (await repository.glance()).branch
    return RootCheckout(repository, Demands.of(host, finish, repo, mission, now))


async def unknown_committer(repo: Path) -> tuple[Mapping[str, str], str]:
    """Settings without which no host can commit in `repo`, and what is said of it; empty: it can."""
    settings = await Git(repo).unknown_identity()
    if not settings:
        return settings, ""
    where = f"{git_at(repo)} config"
    return settings, (
        "git knows nobody to commit as here: the runner's and the host's commits are made as kitty-run. "
        f"For your own name in them: `{where} user.name 'YOUR NAME'` and `{where} user.email YOU@EXAMPLE.COM`"
    )


class RootCheckout:
    """What one mission's host calls need of the root checkout."""

    def __init__(self, repository: RepositoryPort, demands: Demands) -> None:
        self._repository = repository
        self._demands = demands
        self._ends = {"merge", "accept"} if demands.refuses == "untracked" else {"merge"}

    @property
    def target(self) -> str | None:
        """The branch that the mission is merged into; None where nothing names it."""
        return self._demands.target

    async def check(self, operation: str) -> None:
        """Raise `HostRefused` with one of `CODES` where `operation` must not be called now."""
        if found := await self._obstacle(operation):
            raise found

    async def problems(self, *, settled: bool) -> tuple[str, ...]:
        """What would stop a run sooner or later, as it is now: a lock goes away by itself.

        `settled`: no agent is needed any more, so that the merge itself waits for what is uncommitted.
        """
        state = await self._repository.glance(self._demands.status)
        first = obstacle(self._demands, "merge" if state.begun else "state", replace(state, lock=None))
        dirt = None if settled else dirty(self._demands, state, await self._repository.dirt())
        return tuple(dict.fromkeys(str(one) for one in (first, dirt) if one is not None))

    async def lock(self) -> str | None:
        """What is said of a git that is at work there; None where none is."""
        found = obstacle(replace(self._demands, branches=()), "merge", await self._repository.glance())
        return None if found is None else str(found)

    async def explained(self, refused: HostRefused) -> HostRefused:
        """`refused`, with what is in the way at the root now: most likely that is the cause."""
        if refused.code in CODES or not (found := await self._obstacle(refused.operation)):
            return refused
        return HostRefused(refused.code, refused.operation, f"{refused}\n{found}", refused.data)

    async def _obstacle(self, operation: str) -> HostRefused | None:
        state = await self._repository.glance(self._demands.status)
        found = obstacle(self._demands, operation, state)
        if found is None and operation in self._ends:
            found = obstacle(self._demands, operation, await self._repository.glance())
            return found or dirty(self._demands, state, await self._repository.dirt())
        return found
