"""The runner's own sandbox, for what an agent's command line can't keep: bubblewrap (Linux).

Inside it the file system is read-only but for the workspace and the home paths that the profile lists;
temporary directories are empty and its own; sockets of the system and of the user's session, and what usually
holds keys in the home directory, are not there; and without network there is only a loopback interface of its
own. The agent's processes end with it, without the grace that others get after SIGTERM.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kitty_run.agents.launch.argv import Command
from kitty_run.errors import LaunchError
from kitty_run.git.layout import git_dir
from kitty_run.machine import fault_of
from kitty_run.profile.confinement import confined_axes
from kitty_run.profile.model import Agent, Policy, RoleName

COMMAND = "bwrap"

EMPTY = ("/tmp", "/var/tmp", "/run")  # noqa: S108 - they are hidden, not used
"""Directories that are empty inside: temporary files, and the sockets of daemons and sessions."""

RESOLVERS = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf")
"""What `/etc/resolv.conf` may lead to: without it, no name would be found."""

KEYS = (
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".config/gcloud",
    ".config/gh",
    ".password-store",
)
KEY_FILES = (".netrc", ".git-credentials", ".pypirc")
"""Of the home directory; hidden unless the profile lists them in `home`."""

PROBE_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a sandbox keeps: `files` the file system (else it is as outside), `network` that there is none.

    `workspace` can be written if `writable`. `home` are paths below the home directory that can be
    written; `readable` and `writes` are further paths, as they are outside.
    """

    workspace: Path
    files: bool
    writable: bool
    network: bool
    home: tuple[str, ...] = ()
    readable: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()


def confine(  # noqa: PLR0913, PLR0917 - what is confined, to what, and for whom
    command: Command,
    agent: Agent,
    role: RoleName,
    policy: Policy,
    env: Mapping[str, str],
    workspace: Path,
    readable: Sequence[Path] = (),
    writes: Sequence[Path] = (),
) -> Command:
    """`command` inside the sandbox where the agent's `enforce` leaves an axis to the runner; else itself.

    `env` is the agent's whole environment. `readable` and `writes` are the attempt's own files (a
    reviewer's verdict is written beside its workspace). What the agent may write below the home directory is
    made where it is missing, for inside the agent could not. Raises LaunchError where that fails or there is
    no bubblewrap.
    """
    file_access, reach = policy.axes["sandbox_mode"], policy.axes["network_mode"]
    held = confined_axes(agent, policy)
    if not held:
        return command
    files = "sandbox_mode" in held
    network = "network_mode" in held and reach == "none"
    if files:
        _make_home(env, agent.home)
    confinement = Confinement(
        workspace=workspace,
        files=files,
        writable=role == "implement" and file_access == "workspace_write",
        network=network,
        home=agent.home,
        readable=(*command.files, *readable),
        writes=tuple(writes),
    )
    prefix = prefix_of(confinement, env, command.argv[0])
    return replace(command, argv=(*prefix, *command.argv), shown=(*prefix, *command.shown))


def prefix_of(confinement: Confinement, env: Mapping[str, str], program: str) -> tuple[str, ...]:
    """The arguments that go before a command: bubblewrap's, up to `--`."""
    found = shutil.which(COMMAND)
    if found is None:
        raise LaunchError(
            f"`sandbox: bubblewrap` needs the command {COMMAND}: install the package bubblewrap"
        )
    return (
        found,
        *("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"),
        *(("--unshare-net",) if confinement.network else ()),
        *(_file_system(confinement, env, program) if confinement.files else ("--dev-bind", "/", "/")),
        *("--proc", "/proc", "--chdir", str(confinement.workspace), "--"),
    )


def unavailable() -> str | None:
    """Why bubblewrap can't run here, or None; tries it, which blocks for some milliseconds."""
    found = shutil.which(COMMAND)
    if found is None:
        return f"the command {COMMAND} is not installed: install the package bubblewrap"
    probe = Confinement(Path("/"), files=True, writable=False, network=True)
    argv = [*prefix_of(probe, {}, "true"), "true"]
    try:
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=PROBE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{found} cannot be run: {error}"
    if ended.returncode != 0:
        reason = " ".join(ended.stderr.split()) or f"exit status {ended.returncode}"
        return f"{found} cannot make a sandbox here: {reason}"
    return None


def needed(agent: Agent, policy: Policy) -> bool:
    """Whether `agent` under `policy` leaves an axis to the runner's sandbox."""
    return bool(confined_axes(agent, policy))


def _file_system(confinement: Confinement, env: Mapping[str, str], program: str) -> Iterator[str]:
    """Later mounts lie over earlier ones, so that the order is from the general to the particular."""
    home = Path(env["HOME"]) if env.get("HOME") else None
    yield from ("--ro-bind", "/", "/", "--dev", "/dev")
    for directory in EMPTY:
        yield from ("--tmpfs", directory)
    for path in (*RESOLVERS, *_hidden_but_needed(confinement, home, env, program)):
        yield from ("--ro-bind-try", str(path), str(path))
    if home is not None:
        yield from _home(home, confinement.home)
    yield from _paths("--bind" if confinement.writable else "--ro-bind", confinement.workspace)
    if confinement.writable:
        # A `.git` that leads elsewhere would have the runner's own git run what that place's settings say.
        for name in (".git", "kitty-specs"):
            yield from _paths("--ro-bind-try", confinement.workspace / name)
    for path in confinement.readable:
        yield from _paths("--ro-bind-try", path)
    for path in confinement.writes:
        yield from _paths("--bind-try", path)
    yield from ("--setenv", "TMPDIR", "/tmp")  # noqa: S108 - the sandbox's own


def _paths(option: str, path: Path) -> tuple[str, str, str]:
    return option, str(path), str(path)


def _home(home: Path, writable: Sequence[str]) -> Iterator[str]:
    for name in KEYS:
        if (home / name).is_dir():
            yield from ("--tmpfs", str(home / name))
    for name in KEY_FILES:
        if (home / name).is_file():
            yield from ("--ro-bind", "/dev/null", str(home / name))
    for name in writable:
        yield from _paths("--bind-try", home / name)


def _make_home(env: Mapping[str, str], names: Sequence[str]) -> None:
    if not env.get("HOME"):
        return
    for path in (Path(env["HOME"]) / name for name in names):
        try:
            if not path.exists():
                path.mkdir(mode=0o700, parents=True)
        except OSError as error:
            if fault := fault_of(error, path):
                raise fault from error
            raise LaunchError(f"cannot make {path} for the sandbox: {error.strerror}") from error


def _hidden_but_needed(
    confinement: Confinement, home: Path | None, env: Mapping[str, str], program: str
) -> Iterator[Path]:
    """What lies below a directory that is empty inside and is needed all the same."""
    found = shutil.which(program, path=env.get("PATH"))
    wanted = (home, _repository(confinement.workspace), Path(found) if found else None)
    for path in wanted:
        if path is not None and any(path.is_relative_to(directory) for directory in EMPTY):
            yield path


def _repository(workspace: Path) -> Path | None:
    """The repository that the worktree `workspace` belongs to: where its file `.git` leads."""
    if not (workspace / ".git").is_file():
        return None  # no worktree, but a checkout of its own
    directory = git_dir(workspace)
    return directory.parents[2] if directory.parent.name == "worktrees" else None
