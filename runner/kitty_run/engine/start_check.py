"""What would stop a mission at its end, looked for before anything is paid: by `run`, `plan` and `doctor`."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from kitty_run.agents.launch.task import TaskError, read_task
from kitty_run.engine.decisions.plan_gaps import left_to_people, lost_dependencies
from kitty_run.engine.decisions.target_obstacles import lagging, protected
from kitty_run.engine.root_checkout import RootCheckout
from kitty_run.errors import ExitStatus, UsageError
from kitty_run.git.command import Git
from kitty_run.git.readiness import merge_drivers
from kitty_run.git.readiness.behind import behind
from kitty_run.host.client import SpecKitty
from kitty_run.host.model import MissionState
from kitty_run.profile.finish import Finish
from kitty_run.text.commands import git_at

SIZE_LIMIT = 4 << 20
"""Bytes; a list of tasks beyond that is not read."""


class NotReady(UsageError):
    """Something would stop the mission; nothing was started. `continues`: a run waits for it."""

    def __init__(self, problems: Sequence[str], *, continues: bool) -> None:
        then = "then run the same command again: it continues" if continues else "then run again"
        super().__init__("\n".join((*problems, f"Nothing was started. Do that, {then}.")))
        if continues:
            self.exit_status = ExitStatus.PAUSED


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that would stop the mission now or later, with the command that fixes it.

    `blocks`: for certain, so that no run is started; else it is only said.
    """

    subject: str
    text: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class StartCheck:
    """What was looked at. `root` is the mission's root checkout, `finish` what is to follow the mission."""

    host: SpecKitty
    root: RootCheckout
    finish: Finish
    state: MissionState

    async def passed(self, *, continues: bool) -> tuple[str, ...]:
        """What there is to know; raises `NotReady` where anything blocks."""
        found = await self.obstacles()
        if problems := [one.text for one in found if one.blocks]:
            raise NotReady(problems, continues=continues)
        return tuple(one.text for one in found)

    async def obstacles(self) -> tuple[Obstacle, ...]:
        """All of them; none of the looks changes anything."""
        settled = all(one.lane.finished for one in self.state.work_packages)
        found = [
            Obstacle("root checkout", text, blocks=True) for text in await self.root.problems(settled=settled)
        ]
        if settled:
            return tuple(found)
        found += self._layout()
        for part in (self._drivers(), self._target()):
            found += [one async for one in part]
        return (*found, *await asyncio.to_thread(lambda: tuple(self._plan())))

    def _layout(self) -> Iterator[Obstacle]:
        """Folders without which the host would not accept the mission."""
        if not self.finish.accept:
            return
        at = self.host.connection
        missing, git = at.dialect.missing_folders(at.repo, at.mission), git_at(at.repo)
        for name in (*missing.mission, *missing.repository):
            own = name in missing.mission
            file, folder = shlex.quote(f"{name}/.gitkeep"), shlex.quote(str(at.repo / name))
            make = f"mkdir -p {folder} && touch {folder}/.gitkeep"
            then = f"{git} add -f {file} && {git} commit -m 'Lay out the mission' -- {file}"
            rest = "" if own else ", unless the mission's work brings it"
            text = (
                f"the host would not accept the mission: it wants a folder {name}{rest}: `{make} && {then}`"
            )
            yield Obstacle("layout", text, blocks=own)

    async def _drivers(self) -> AsyncIterator[Obstacle]:
        """Merge drivers for the host's own files that git lacks: their merges would conflict."""
        at = self.host.connection
        known = self.host.traits.merge_drivers
        folders = {record.partition("/")[0] for record in self.host.traits.records_of(at.mission)}
        names = await merge_drivers.unregistered(at.repo, folders)
        if not names:
            return
        lines = [
            f"  {git_at(at.repo)} config {shlex.quote(f'merge.{name}.driver')} {shlex.quote(command)}"
            for name in names
            if known is not None and (command := known.command_of(name)) is not None
        ]
        advice = "\n".join(["register them:", *lines]) if lines else "the host's own set-up registers them"
        text = (
            f".gitattributes names merge drivers for the host's files that git's configuration lacks "
            f"({', '.join(names)}), so that merges of the mission's status conflict; {advice}"
        )
        yield Obstacle("merge drivers", text, blocks=self.host.topology.status_at is not None)

    async def _target(self) -> AsyncIterator[Obstacle]:
        """A target that the host protects, or that lacks commits of its remote."""
        at, git, traits = self.host.connection, Git(self.host.connection.repo), self.host.traits
        merge, target = self.finish.merge, self.root.target
        if target is None:
            return
        rules = traits.protects
        if rules is not None and self.host.topology.root == "target":
            reply = await git.call("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
            default = reply.stdout.strip().removeprefix("origin/") or None
            if text := protected(rules, rules.of(at.repo, default, os.environ), target):
                yield Obstacle("target", text, blocks=True)
        if merge is not None and (found := await behind(git, target)) is not None:
            text = lagging(found, at.repo, await git.branch())
            yield Obstacle("target", text, blocks=merge.push or traits.merge_wants_origin)

    def _plan(self) -> Iterator[Obstacle]:
        """Dependencies that only `tasks.md` names, and criteria that only a person can settle."""
        at = self.host.connection
        for text in lost_dependencies(self._tasks(), self.state.work_packages):
            yield Obstacle("plan", text, blocks=False)
        if not self.finish.accept:
            return
        for one, why in left_to_people(self.host.criteria(), self._wanted()):
            command = at.dialect.by_hand(at.mission, one.id)
            text = f"the acceptance criterion {one.id} ({one.text}) {why}: before the end, `{command}`"
            yield Obstacle("acceptance", text, blocks=False)

    def _tasks(self) -> str:
        at = self.host.connection
        path = at.repo / "kitty-specs" / at.mission / "tasks.md"
        try:
            return path.read_text(encoding="utf-8") if path.stat().st_size <= SIZE_LIMIT else ""
        except (OSError, ValueError):
            return ""

    def _wanted(self) -> frozenset[str]:
        """The criteria that a work package is to meet, as the prompt files say."""
        found = set[str]()
        for package in self.state.work_packages:
            path = self.host.prompt_file(package.id)
            try:
                found |= set(read_task(path, package.id).requirements if path else ())
            except TaskError:
                continue  # said when the work package is about to be started
        return frozenset(found)
