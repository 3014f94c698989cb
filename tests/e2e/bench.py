"""A mission on a host, its profile with scripted agents, and `kitty-run` started as its users do."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import yaml
from kitty_run.demo.spec import MissionSpec, Project, Topology, WorkPackageSpec
from kitty_run.execution.process_tree import MARKER

from tests.hosts import FEATURE_HOST, LAID_OUT, SIMULATED_FEATURE, RealHost
from tests.program import Done, kitty_run

AGENTS = Path(__file__).resolve().parent / "agents"
PATIENCE = 240.0
"""Seconds that one `kitty-run` may take before a test gives up on it."""

ENFORCE = {
    "sandbox_mode": {"workspace_write": []},
    "network_mode": {"none": []},
    "approval_mode": {"full_auto": []},
}
MUTATING = frozenset({"claim", "tick", "hand_in", "claim_review", "approve", "reject", "confirm", "block"})

Plan = Mapping[str, Sequence[str]]
"""Per work package what its agent does: one behaviour per attempt, the last for all further ones."""


def _heeding_interrupts() -> None:
    """A test suite that was started in the background has ^C ignored, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def mission(
    shape: Mapping[str, Sequence[str]],
    topology: Topology | None,
    *,
    subtasks: bool = True,
    branch: str = "feature/work",
) -> MissionSpec:
    """A mission of work packages (id to dependencies), each of which owns `WPnn.txt` and `src/wpnn/`."""
    packages = tuple(
        WorkPackageSpec(
            id=wp,
            title=f"Part {wp}",
            dependencies=tuple(dependencies),
            body=f"Write {wp}.txt and what belongs to it below src/{wp.lower()}/.",
            owned_files=(f"{wp}.txt", f"src/{wp.lower()}/**"),
            subtasks=(f"T{number:03}",) if subtasks else (),
        )
        for number, (wp, dependencies) in enumerate(shape.items(), 1)
    )
    slug = "007-bench" if topology == "legacy" else "bench"
    return MissionSpec(slug, packages, topology, branch, {"base.txt": "here from the start\n"})


DIAMOND = {"WP01": (), "WP02": ("WP01",), "WP03": ("WP01",), "WP04": ("WP02", "WP03")}


def wide(count: int) -> dict[str, tuple[str, ...]]:
    """`count` work packages that don't depend on each other."""
    return {f"WP{number:02}": () for number in range(1, count + 1)}


@dataclass(frozen=True, slots=True)
class Ran:
    """A `kitty-run` that ended: its exit status and all that it said."""

    status: int
    text: str
    report: Mapping[str, Any]

    def result(self, wp: str) -> str:
        return str(self.report["work_packages"][wp]["result"])

    def reason(self, wp: str) -> str:
        return str(self.report["work_packages"][wp]["reason"])


def _ran(done: Done) -> Ran:
    report = json.loads(done.out) if done.out.strip() else {}
    return Ran(done.status, done.out + done.err, report)


@dataclass
class Bench:
    """One project, and the room beside it where the agents' plans and records stand."""

    host: RealHost
    project: Project
    room: Path
    profile: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.room / "written").mkdir(parents=True)
        self.plan()
        self.profile = {
            "version": 1,
            "name": "bench",
            "host": {"command": [str(self.host.script)]},
            "policy": {"approval_mode": "full_auto", "sandbox_mode": "workspace_write"},
            "agents": {
                "imp": self._agent("scripted", "implement.py"),
                "rev": self._agent("reading", "review.py"),
            },
            "roles": {"implement": {"agents": ["imp"]}, "review": {"agents": ["rev"]}},
            "retry": {"agent": {"default": {"do": "retry", "attempts": 1, "then": "block"}}},
        }

    @property
    def root(self) -> Path:
        return self.project.root

    def _agent(self, family: str, script: str) -> dict[str, Any]:
        return {
            "family": family,
            "command": [sys.executable, "-S", str(AGENTS / script), str(self.room)],
            "enforce": ENFORCE,
            "timeout": "15s",
            "idle_timeout": "6s",
            "kill_grace": "500ms",
        }

    def plan(self, implement: Plan | None = None, review: Plan | None = None) -> None:
        """What the agents do; work packages that are not named are done well, and approved."""
        plans = {"implement": implement or {}, "review": review or {}}
        (self.room / "plan.json").write_text(json.dumps(plans), encoding="utf-8")

    def start(self, *options: str) -> subprocess.Popen[str]:
        """`kitty-run PROFILE …` in the background, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "kitty_run", *self._words(*options)],
            cwd=self.room,
            env=dict(self.host.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_heeding_interrupts,  # noqa: PLW1509 - no thread runs here
        )

    def end(self, process: subprocess.Popen[str]) -> Ran:
        """Wait for a started run."""
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            raise
        return _ran(Done(process.returncode, out, err))

    def run(self, *options: str) -> Ran:
        """`kitty-run PROFILE …` to its end, within this process."""
        return _ran(kitty_run(*self._words(*options), cwd=self.room, env=self.host.env))

    def planned(self) -> str:
        """What `kitty-run plan PROFILE` prints."""
        words = [word for word in self._words() if word != "--json"]
        return kitty_run("plan", *words, cwd=self.room, env=self.host.env).out

    def _words(self, *options: str) -> list[str]:
        """The command line, its profile written."""
        profile = self.room / "profile.yaml"
        profile.write_text(yaml.safe_dump(self.profile, sort_keys=False), encoding="utf-8")
        mission = ["--mission", self.project.mission, "--repo", str(self.root)]
        return [str(profile), *mission, "--json", *options]

    def git(self, *args: str, cwd: Path | None = None, check: bool = True) -> str:
        """Standard output of git at the root, or in `cwd`."""
        done = subprocess.run(
            ("git", "-c", "core.quotePath=false", *args),
            cwd=cwd or self.root,
            env=dict(self.host.env),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        assert not check or done.returncode == 0, f"git {args}: {done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")

    def lanes(self) -> dict[str, str]:
        """The lanes as the host tells them."""
        name = "feature" if self.project_is_feature else "mission"
        reply: dict[str, Any] = self.host.reply(
            f"{name}-state", f"--{name}", self.project.mission, cwd=self.root
        )
        return {wp["wp_id"]: wp["lane"] for wp in reply["data"]["work_packages"]}

    @property
    def project_is_feature(self) -> bool:
        return self.host.version in {FEATURE_HOST, SIMULATED_FEATURE}

    def journal(self) -> list[dict[str, Any]]:
        """The events of all runs, in order."""
        found = sorted(self.root.glob(".kitty-run/runs/*/events.jsonl"))
        lines = [line for path in found for line in path.read_text(encoding="utf-8").splitlines()]
        return [json.loads(line) for line in lines]

    def events(self, *types: str) -> list[dict[str, Any]]:
        return [event for event in self.journal() if event["type"] in types]

    def written(self) -> dict[str, bytes]:
        """What the agents say they wrote and meant to leave: path to content, links as `-> target`."""
        files: dict[str, bytes] = {}
        records = [json.loads(path.read_bytes()) for path in (self.room / "written").glob("*.json")]
        for record in sorted(records, key=lambda record: float(record["at"])):
            for name, content in record["files"].items():
                if content is None:
                    files.pop(name, None)
                else:
                    files[name] = base64.b64decode(content)
        return files

    def tree(self, ref: str | None = None) -> dict[str, bytes]:
        """The files of a commit (default: the project's branch), but for what was there from the start."""
        listing = self.raw("ls-tree", "-r", "-z", ref or self.project.branch)
        start = set(self.raw("ls-tree", "-r", "-z", "--name-only", self.first()).split(b"\0"))
        files = {}
        for entry in listing.split(b"\0")[:-1]:
            head, name = entry.split(b"\t", 1)
            mode, kind, sha = head.decode().split()
            if name.startswith((b"kitty-specs/", b".kittify/")) or (name in start and name != b"base.txt"):
                continue
            if Path(os.fsdecode(name)).name == LAID_OUT:
                continue
            assert kind == "blob", f"{name!r} is a {kind}"
            content = self.raw("cat-file", "blob", sha)
            files[os.fsdecode(name)] = b"-> " + content if mode == "120000" else content
        files.pop("base.txt", None)
        return files

    def first(self) -> str:
        """The first commit of the project's branch: what there was before the mission was planned."""
        return self.git("rev-list", "--max-parents=0", self.project.branch).splitlines()[-1]

    def raw(self, *args: str) -> bytes:
        return subprocess.run(("git", *args), cwd=self.root, capture_output=True, check=True).stdout

    def ledger(self) -> list[dict[str, Any]]:
        """Starts and ends of agents, in order, in their own words."""
        path = self.room / "ledger.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def processes(self) -> list[str]:
        """Command lines of live processes that a run of this bench started as, or below, an agent."""
        runs = {path.name for path in self.root.glob(".kitty-run/runs/*")}
        return [
            f"{process.pid} {' '.join(process.cmdline())}"
            for process in psutil.process_iter()
            if self._is_ours(process, runs)
        ]

    def _is_ours(self, process: psutil.Process, runs: set[str]) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            marked = process.environ().get(MARKER, "").partition("/")[0] in runs
            return marked or str(self.room) in " ".join(process.cmdline()[1:]).replace("--repo", "")
        except psutil.Error:
            return False

    def wait_for(self, what: Any, process: subprocess.Popen[str]) -> None:
        """Wait until `what()` is true while `process` runs."""
        until = monotonic() + PATIENCE
        while not what():
            assert process.poll() is None, process.communicate()
            assert monotonic() < until, "it never came"
            sleep(0.02)
