"""Whole runs on a real host, with agents that take no time: their wall time, CPU time and host calls."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kitty_run.demo.spec import MissionSpec, Project, Topology, WorkPackageSpec

from tests.hosts import RealHost

SLOTS = 4
Shape = Mapping[str, Sequence[str]]
"""Dependencies by work package."""

Start = Literal["cold", "warm"]
"""How host calls are started."""

AXES = ("approval_mode", "sandbox_mode", "network_mode")

AGENT = """\
#!/bin/sh
# Started for both roles: kitty-run names the role, the reference lets only implementers use the tool Write.
case "${KITTY_ROLE:-$*}" in
  implement|*Write*) echo done > "work-$$.txt" ;;
esac
if [ -n "$KITTY_VERDICT_FILE" ]; then
  printf '{"code": "%s", "verdict": "approved", "summary": "fine", "findings": []}' \\
    "$KITTY_VERDICT_CODE" > "$KITTY_VERDICT_FILE"
fi
printf '{"type": "result", "result": "done"}\\n'
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of wall and of CPU (all processes it started), and host calls."""

    wall: float
    cpu: float
    calls: int


def spec(shape: Shape, topology: Topology = "lanes") -> MissionSpec:
    """A mission of `shape`; each work package has files of its own."""
    packages = tuple(
        WorkPackageSpec(wp, f"Part {wp}", tuple(names), f"Write {wp}.", (f"{wp}/**",))
        for wp, names in shape.items()
    )
    return MissionSpec("bench", packages, topology)


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def adopt_orphans() -> None:
    """Count processes whose parent has ended as this one's children, with their CPU time (Linux)."""
    set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def timed(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[float, float, str]:
    """Run `argv` to its end and that of all that it started: seconds of wall, of CPU, and what it printed."""
    before, began = _cpu(), time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False)
    wall = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"{argv[0]} ended with status {done.returncode}:\n{done.stdout}\n{done.stderr}")
    _reap()
    return wall, _cpu() - before, done.stdout


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def run_ours(host: RealHost, project: Project, room: Path, *, finish: bool, start: Start = "warm") -> Cost:
    command = [str(executable(room / "bin" / "claude", AGENT))]
    kept = ("full_auto", "workspace_write", "none")
    enforce: dict[str, Any] = {axis: {mode: []} for axis, mode in zip(AXES, kept, strict=True)}
    agent = {"command": command, "enforce": enforce}
    profile: dict[str, Any] = {
        "version": 1,
        "host": {"command": [str(host.script)], "start": start},
        "policy": dict(zip(AXES, kept, strict=True)),
        "agents": {"imp": {"family": "claude", **agent}, "rev": {"family": "codex", **agent}},
        "roles": {"implement": {"agents": ["imp"]}, "review": {"agents": ["rev"]}},
        "concurrency": {"work_packages": SLOTS},
    }
    if not finish:
        profile["finish"] = {"accept": False, "merge": False}
    path = room / "profile.yaml"
    path.write_text(json.dumps(profile), "utf-8")  # JSON is YAML
    argv = [sys.executable, "-m", "kitty_run", "run", str(path), "--mission", project.mission, "--json", "-q"]
    wall, cpu, printed = timed(argv, project.root, host.env)
    return Cost(wall, cpu, json.loads(printed)["calls"])
