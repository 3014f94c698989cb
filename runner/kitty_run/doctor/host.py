"""The host: whether it is installed, and whether its contract is supported."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from kitty_run.doctor.command import version
from kitty_run.doctor.finding import Finding, bad, note, ok
from kitty_run.engine.root_checkout import root_checkout
from kitty_run.engine.start_check import StartCheck
from kitty_run.engine.state.repository_lock import RepositoryBusy
from kitty_run.errors import ExitStatus, HostError, UsageError
from kitty_run.git.guard.unusable import UnusableSettings
from kitty_run.host.client import SpecKitty
from kitty_run.host.detect import connect, identify
from kitty_run.host.model import MissionState
from kitty_run.host.transport.environment import installations, resolve
from kitty_run.host.transport.start import Starter
from kitty_run.planner.mission_reader import alone, calling, refuse_untrusted, unobserved
from kitty_run.profile.finish import Finish
from kitty_run.profile.model import HostConfig


async def host(
    config: HostConfig, repo: Path, mission: str | None, finish: Finish | None = None
) -> AsyncIterator[Finding]:
    """The host of `config`, and `mission` on it where one is named; two reading calls at most.

    `finish` is what is to follow the mission, which decides what the root checkout must be like.
    """
    cold = list[str]()
    try:
        yield ok("host", f"{resolve(config.command, os.environ)}, started {config.start}")
        async for finding in _other_installations(config):
            yield finding
        with alone(repo, mission or "doctor"):
            await refuse_untrusted(repo)
            async with calling(config, cold.append) as starter:
                async for finding in _asked(config, repo, mission, starter, finish or Finish()):
                    yield finding
        for reason in cold:
            yield note("host", reason)
    except HostError as error:
        yield bad("host", str(error), exit_status=ExitStatus.HOST)
    except RepositoryBusy:
        yield note("host", "not asked, since a run makes calls just now")
    except UsageError as error:
        subject = "git" if isinstance(error, UnusableSettings) else "mission"
        yield bad(subject, str(error), exit_status=ExitStatus.USAGE)


async def _other_installations(config: HostConfig) -> AsyncIterator[Finding]:
    """Others of the same name on PATH: each with its version, and which of them all is used."""
    used, *others = installations(config.command[0], os.environ)
    if not others:
        return
    first, *rest = [f"{path} ({(await version(str(path)) or ('', ''))[1]})" for path in (used, *others)]
    yield note(
        "host",
        f"{len(others) + 1} installations are on PATH; used is the first, {first}, not {', '.join(rest)}",
        "`host: {command: [PATH]}` in the profile names another",
    )


async def _asked(
    config: HostConfig, repo: Path, mission: str | None, starter: Starter, finish: Finish
) -> AsyncIterator[Finding]:
    if mission is None:
        contract, dialect, untested = await identify(config, repo, starter, unobserved)
        yield ok("contract", f"{contract}, dialect {dialect.name}: {dialect.title}")
        if untested:
            yield note("contract", untested)
        return
    door = await connect(config, repo, mission, starter, unobserved)
    state = await door.state()
    yield ok("contract", f"{door.contract}, dialect {door.dialect}: {door.connection.dialect.title}")
    if door.untested:
        yield note("contract", door.untested)
    lanes = ", ".join(f"{wp.id} {wp.lane}" for wp in state.work_packages)
    yield ok("mission", f"{state.mission}, topology {door.topology.name}: {lanes}")
    async for finding in _before_start(door, repo, finish, state):
        yield finding


async def _before_start(
    door: SpecKitty, repo: Path, finish: Finish, state: MissionState
) -> AsyncIterator[Finding]:
    """What a run would be refused for, say at its start, or wait for."""
    root = await root_checkout(door, finish, repo, state.mission)
    obstacles = await StartCheck(door, root, finish, state).obstacles()
    for one in obstacles:
        if one.blocks:
            yield bad(one.subject, one.text, exit_status=ExitStatus.USAGE)
        else:
            yield note(one.subject, one.text)
    if waits := await root.lock():
        yield note("root checkout", f"a run would wait: {waits}")
    elif all(one.subject != "root checkout" for one in obstacles):
        yield ok("root checkout", "as the host needs it")
