"""Real little missions on a real host, made as a person planning one would make them.

This is the one place that writes below `kitty-specs/`: it plans a new mission in a new repository, by
the host's own planning commands where it has them. A run of the product never writes there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kitty_run.demo import documents
from kitty_run.demo.spec import MissionSpec, Project
from kitty_run.errors import HostError

CALL_TIMEOUT = 300.0
"""Seconds for one planning command of the host; they take 2 to 20."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Runs git and the host in the new project, in the environment of `demo.hosts.host_environment`."""

    root: Path
    host: Path
    env: Mapping[str, str]

    def git(self, *args: str) -> str:
        return self._run(("git", *args))

    def ask(self, *args: str) -> str:
        """The host's standard output; raises `HostError` with its last words."""
        return self._run((str(self.host), *args))

    def reply(self, *args: str) -> Mapping[str, object]:
        """The last JSON object that the host printed."""
        for line in reversed(self.ask(*args).splitlines()):
            if line.startswith("{"):
                found: Mapping[str, object] = json.loads(line)
                return found
        raise HostError(f"{self.host} {' '.join(args)} printed no JSON object")

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def plans(self) -> bool:
        """Whether the host plans missions by command; 1.0 hosts leave that to an agent's prompt."""
        argv = (str(self.host), "agent", "mission", "finalize-tasks", "--help")
        return self._start(argv).returncode == 0

    def _run(self, argv: Sequence[str]) -> str:
        done = self._start(argv)
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
            raise HostError(f"{self.root}: `{' '.join(argv)}` ended with status {done.returncode}:\n{last}")
        return done.stdout

    def _start(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            cwd=self.root,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CALL_TIMEOUT,
            check=False,
        )


def make_project(root: Path, host: Path, env: Mapping[str, str], spec: MissionSpec) -> Project:
    """A new git repository at `root` with the mission of `spec`, ready to be run on `host`.

    How it is planned is found by asking the host. Raises `HostError`.
    """
    root.mkdir(parents=True, exist_ok=True)
    planner = Planner(root.resolve(), host, env)
    planner.git("init", "-q", "-b", "main")
    planner.write({"README.md": f"# {spec.slug}\n", **spec.files})
    mission = _planned(planner, spec) if planner.plans() else _written(planner, spec)
    return Project(planner.root, mission, spec.branch)


def _init_arguments() -> list[str]:
    """How a project is set up on hosts that plan: data, since it names an agent family."""
    import yaml

    text = Path(__file__).with_name("planning.yaml").read_text(encoding="utf-8")
    return [str(word) for word in yaml.safe_load(text)["init"]]


def _planned(planner: Planner, spec: MissionSpec) -> str:
    planner.ask(*_init_arguments())
    planner.commit("Start the project")
    planner.git("checkout", "-q", "-b", spec.branch)
    mission = _number(planner, spec) if spec.topology == "legacy" else _specify(planner, spec)
    planner.write(documents.planned(mission, spec))
    planner.commit(f"Plan {mission}")
    reply = planner.reply("agent", "mission", "finalize-tasks", "--mission", mission, "--json")
    if reply.get("wp_count") != len(spec.work_packages):
        raise HostError(f"{mission}: {len(spec.work_packages)} WPs planned, but the host says {reply}")
    return mission


def _specify(planner: Planner, spec: MissionSpec) -> str:
    reply = planner.reply("specify", spec.slug, "--topology", spec.topology or "coord", "--json")
    return str(reply["mission_slug"])


def _number(planner: Planner, spec: MissionSpec) -> str:
    planner.write({f"kitty-specs/{spec.slug}/meta.json": documents.legacy_meta(spec)})
    return spec.slug


def _written(planner: Planner, spec: MissionSpec) -> str:
    planner.write({".gitignore": ".worktrees/\n.kitty-run/\n", ".kittify/config.yaml": "agents: {}\n"})
    planner.commit("Start the project")
    if spec.branch != "main":
        planner.git("checkout", "-q", "-b", spec.branch)
    planner.write(documents.written(spec))
    planner.commit(f"Plan {spec.slug}")
    return spec.slug
