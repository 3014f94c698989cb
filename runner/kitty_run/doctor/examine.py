"""The whole examination, in the order in which a run would meet the things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from kitty_run.doctor.agents import agents, known_agents
from kitty_run.doctor.finding import Finding, bad, note, ok
from kitty_run.doctor.host import host
from kitty_run.doctor.machine import machine, repository
from kitty_run.errors import ExitStatus, UsageError
from kitty_run.host.repository import main_checkout
from kitty_run.profile.finish import Finish
from kitty_run.profile.load import load
from kitty_run.profile.model import HostConfig, Profile
from kitty_run.profile.validation.problems import ProfileInvalid


@dataclass(frozen=True, slots=True)
class Case:
    """What to look at: the profile in the file `path` (None: any run's needs) with `overrides`, to be run
    on `mission` (None: the profile's, or none) in the repository of `directory`."""

    path: Path | None
    overrides: tuple[tuple[str, str], ...]
    mission: str | None
    directory: Path


async def examine(case: Case) -> AsyncIterator[Finding]:
    """Everything that a run needs."""
    profile, found = _profile(case)
    config = profile.host if profile else HostConfig()
    slug = case.mission or (profile.mission if profile else None)
    finish = profile.finish if profile else None
    there = _there(config, slug, case.directory, finish)
    for part in (machine(), _each(found), there, _agents(profile, case)):
        async for finding in part:
            yield finding


async def _each(findings: list[Finding]) -> AsyncIterator[Finding]:
    for finding in findings:
        yield finding


async def _there(
    config: HostConfig, mission: str | None, directory: Path, finish: Finish | None
) -> AsyncIterator[Finding]:
    try:
        repo = await main_checkout(directory)
    except UsageError as error:
        yield bad("repository", str(error), "name one with --repo", ExitStatus.USAGE)
        return
    for part in (repository(repo), host(config, repo, mission, finish)):
        async for finding in part:
            yield finding


def _agents(profile: Profile | None, case: Case) -> AsyncIterator[Finding]:
    """Those of the profile; without a profile those that ship, and none where it can't be read."""
    if profile is not None:
        return agents(profile)
    return _each(list(known_agents()) if case.path is None else [])


def _profile(case: Case) -> tuple[Profile | None, list[Finding]]:
    if case.path is None:
        return None, []
    try:
        loaded = load(case.path, case.overrides)
    except ProfileInvalid as error:
        return None, [bad("profile", str(one), exit_status=ExitStatus.USAGE) for one in error.problems]
    profile = loaded.profile
    warnings = [note("profile", str(one)) for one in loaded.warnings]
    return profile, [ok("profile", f"{case.path} is valid: {profile.name}"), *warnings]
