"""Everything that the demo needs before it can run: a host, a private home, a project with a mission."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kitty_run.demo.hosts import ensure_host, host_environment
from kitty_run.demo.missions import make_project
from kitty_run.demo.spec import MissionSpec, Project, Topology, WorkPackageSpec
from kitty_run.errors import HostError, UsageError
from kitty_run.resources import data_root, read_yaml

MISSION = Path(__file__).resolve().parent / "mission.yaml"
Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Script:
    """What the demo plays: the mission, and the version of the host it is played on (`mission.yaml`)."""

    host: str
    spec: MissionSpec


@dataclass(frozen=True, slots=True)
class Stage:
    """A prepared demo: the project, the host's command, and the environment to run both in."""

    directory: Path
    project: Project
    host: Path
    env: Mapping[str, str]


def profile_path() -> Path:
    """The profile that the demo runs, `sample-configs/quickstart.yaml`."""
    return data_root() / "sample-configs" / "quickstart.yaml"


def read_script() -> Script:
    """The demo's mission as it is planned; the file ships with the program."""
    data: dict[str, Any] = read_yaml(MISSION)
    packages = tuple(_work_package(entry) for entry in data["work_packages"])
    spec = MissionSpec(data["slug"], packages, data["topology"], data["branch"], data["files"])
    return Script(data["host"], spec)


def prepare(
    directory: Path | None, hosts: Path, host: str | None, topology: Topology | None, announce: Announce
) -> Stage:
    """Install the host where it is missing, and plan the mission in a new project below `directory`.

    None means a new temporary directory, and for the script's own host and topology. Raises
    `UsageError` where `directory` is in use, `HostError` where the host can't be had or refuses.
    """
    script = read_script()
    where = _new_directory(directory)
    command = _find(host) if host else _install(script.host, hosts, announce)
    env = host_environment(command, where / "home")
    announce(f"planning a mission of {len(script.spec.work_packages)} work packages in {where / 'project'}")
    spec = replace(script.spec, topology=topology or script.spec.topology)
    if spec.topology == "legacy":
        spec = replace(spec, slug=f"001-{spec.slug}")
    return Stage(where, make_project(where / "project", command, env, spec), command, env)


def settings(stage: Stage, agent_command: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What differs here from the profile as it ships: this host, and these programs as agents."""
    agents = [(f"/agents/{name}/command", [*agent_command, name]) for name in ("implementer", "reviewer")]
    return tuple(
        (pointer, json.dumps(value)) for pointer, value in [("/host/command", [str(stage.host)]), *agents]
    )


def default_hosts() -> Path:
    """Where hosts are installed by default: the user's cache directory."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "kitty-run" / "hosts"


def _new_directory(directory: Path | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="kitty-run-demo-")).resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is not an empty directory; name a new or empty one with --keep")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't create {directory}: {error.strerror}") from error
    return directory.resolve()


def _find(host: str) -> Path:
    found = shutil.which(host)
    if found is None:
        raise HostError(f"the host's command {host!r} was not found; name the path of a spec-kitty script")
    return Path(found).absolute()


def _install(version: str, hosts: Path, announce: Announce) -> Path:
    if not (hosts / version).exists():
        announce(
            f"installing spec-kitty-cli {version} from PyPI into {hosts / version} (once; takes a minute)"
        )
    return ensure_host(version, hosts)


def _work_package(entry: Mapping[str, Any]) -> WorkPackageSpec:
    return WorkPackageSpec(
        id=entry["id"],
        title=entry["title"],
        dependencies=tuple(entry.get("dependencies", ())),
        body=entry["body"],
        owned_files=tuple(entry["owned_files"]),
        subtasks=tuple(entry["subtasks"]),
    )
