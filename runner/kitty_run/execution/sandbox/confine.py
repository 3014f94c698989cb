"""Attempts and checks inside the sandbox, where the policy of their agent is left to the runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kitty_run.agents.launch.argv import Command
from kitty_run.errors import LaunchError
from kitty_run.execution.sandbox.bubblewrap import ENTRANCE, LIBRARY, Confinement, WayOut, prefix_of, python
from kitty_run.execution.sandbox.file_system import View
from kitty_run.execution.sandbox.resources import not_held
from kitty_run.machine import fault_of
from kitty_run.profile.confinement import confined_axes
from kitty_run.profile.limits import Resources
from kitty_run.profile.model import Agent, Policy, RoleName


@dataclass(frozen=True, slots=True)
class Place:
    """Where a confined process works. `readable` and `writes` are its own files elsewhere: a prompt, or the
    place of a reviewer's verdict. `way_out` is there where the policy lists hosts."""

    workspace: Path
    readable: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    way_out: WayOut | None = None


def confine(  # noqa: PLR0913, PLR0917 - what is confined, to what, and for whom
    command: Command, agent: Agent, role: RoleName, policy: Policy, env: Mapping[str, str], place: Place
) -> Command:
    """`command` inside the sandbox where `agent` leaves an axis of `policy` to the runner; else itself.

    `env` is the agent's whole environment. What the agent may write below the home directory is made where
    it is missing, for inside the agent could not. Raises LaunchError where that fails or there is no
    bubblewrap.
    """
    if not confined_axes(agent, policy):
        return command
    home = _made(env, agent.home)
    files = (*_named(agent.command), *place.readable, *command.files)
    inside = replace(place, readable=files, writes=(*home, *place.writes))
    prefix = _prefix(command.argv[0], agent, role, policy, env, inside)
    return replace(command, argv=(*prefix, *command.argv), shown=(*prefix, *command.shown))


def confine_check(
    argv: Sequence[str], agent: Agent, policy: Policy, env: Mapping[str, str], place: Place
) -> tuple[str, ...]:
    """The command `argv`, which runs what `agent` wrote, inside the same sandbox as the agent, without the
    agent's own files below the home directory. Raises LaunchError."""
    if not confined_axes(agent, policy):
        return tuple(argv)
    inside = replace(place, readable=(*_named(argv), *place.readable))
    return *_prefix(argv[0], agent, "implement", policy, env, inside), *argv


def needed(agent: Agent, policy: Policy) -> bool:
    """Whether `agent` under `policy` leaves an axis to the runner's sandbox."""
    return bool(confined_axes(agent, policy))


def unheld_resources(agent: Agent, policy: Policy) -> str | None:
    """Why what `agent` may use can't be limited as the profile says, or None."""
    if agent.resources != Resources() and not needed(agent, policy):
        return "`resources` is held in the runner's sandbox only, and this agent keeps the policy itself"
    return not_held(agent.resources)


def needs_way_out(agent: Agent, policy: Policy) -> bool:
    """Whether a process of `agent` reaches the network by a gateway only."""
    return "network_mode" in confined_axes(agent, policy) and policy.axes["network_mode"] == "allowlist"


def _prefix(  # noqa: PLR0913, PLR0917 - as above
    program: str,
    agent: Agent,
    role: RoleName,
    policy: Policy,
    env: Mapping[str, str],
    place: Place,
) -> tuple[str, ...]:
    held = confined_axes(agent, policy)
    network = "network_mode" in held
    way_out = place.way_out if network else None
    view = View(
        workspace=place.workspace,
        writable=role == "implement" and policy.axes["sandbox_mode"] == "workspace_write",
        home=Path(env["HOME"]) if env.get("HOME") else None,
        readable=(*place.readable, *((ENTRANCE, LIBRARY) if way_out else ())),
        writes=place.writes,
        programs=(python(),) if way_out else (),
        names=not network,
        room=agent.resources.memory,
    )
    confinement = Confinement(view, "sandbox_mode" in held, network, way_out, agent.resources)
    return prefix_of(confinement, env, program)


def _named(command: Sequence[str]) -> tuple[Path, ...]:
    """The files that the profile's `command` names with their whole path, such as a script."""
    return tuple(path for path in map(Path, command[1:]) if path.is_absolute() and path.is_file())


def _made(env: Mapping[str, str], names: Sequence[str]) -> tuple[Path, ...]:
    """The paths `names` below the home directory, which are there now."""
    if not env.get("HOME"):
        return ()
    paths = tuple(Path(env["HOME"]) / name for name in names)
    for path in paths:
        try:
            if not path.exists():
                path.mkdir(mode=0o700, parents=True)
        except OSError as error:
            if fault := fault_of(error, path):
                raise fault from error
            raise LaunchError(f"cannot make {path} for the sandbox: {error.strerror}") from error
    return paths
