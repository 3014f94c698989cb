"""kitty-run against `spec-kitty-orchestrator` from PyPI: the same missions, host and instant agents.

Run from the checkout: `python -m benchmarks.reference [--rounds N]`. A round takes about a quarter of an
hour, nearly all of it the reference's. Both take the work packages to `done`, which is where the reference
ends; kitty-run is measured with accepting and merging, too.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from kitty_run.demo.missions import MissionSpec, Project, WorkPackageSpec

from benchmarks.results import spread, write_section
from tests.hosts import CHECKOUT, MISSION_HOST, RealHost, install

PACKAGE = "spec-kitty-orchestrator"
ROOM = CHECKOUT / ".hosts" / PACKAGE
SLOTS = 4
TITLE = "Against the reference orchestrator"
WALL, CPU = 18.0, 15.0
"""How many times less than the reference on 4 work packages is wanted."""

SHAPES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "4 work packages wide": {"WP01": (), "WP02": (), "WP03": (), "WP04": ()},
    "8 work packages in 3 layers": {
        "WP01": (),
        "WP02": (),
        "WP03": ("WP01",),
        "WP04": ("WP01", "WP02"),
        "WP05": ("WP02",),
        "WP06": ("WP03", "WP04"),
        "WP07": ("WP04",),
        "WP08": ("WP05",),
    },
}
AXES = ("approval_mode", "sandbox_mode", "network_mode")
REFERENCE, OURS, WHOLE = "reference", "kitty-run", "kitty-run, merged too"

AGENT = """\
#!/bin/sh
# Started for both roles: kitty-run names the role, the reference lets only implementers use the tool Write.
case "${KITTY_ROLE:-$*}" in
  implement|*Write*) echo done > "work-$$.txt" ;;
esac
if [ -n "$KITTY_VERDICT_FILE" ]; then
  printf '{"verdict": "approved", "summary": "fine", "findings": []}' > "$KITTY_VERDICT_FILE"
fi
printf '{"type": "result", "result": "done"}\\n'
"""
COUNTER = """\
#!/bin/sh
echo "$*" >> "{log}"
exec "{script}" "$@"
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of wall and of CPU (all processes it started), and host calls."""

    wall: float
    cpu: float
    calls: int


def spec(shape: Mapping[str, Sequence[str]]) -> MissionSpec:
    packages = tuple(
        WorkPackageSpec(wp, f"Part {wp}", tuple(names), f"Write {wp}.", (f"{wp}/**",))
        for wp, names in shape.items()
    )
    return MissionSpec("reference", packages, "lanes")


def reference() -> Path:
    """The reference's command, installed into a virtual environment of its own where it is missing."""
    script = ROOM / "bin" / PACKAGE
    if not script.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ROOM)], check=True)
        pip = [str(ROOM / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, PACKAGE], check=True)
    return script


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


def run_reference(host: RealHost, project: Project, room: Path) -> Cost:
    log = room / "calls"
    executable(room / "bin" / "claude", AGENT)
    executable(room / "bin" / "spec-kitty", COUNTER.format(log=log, script=host.script))
    env = {**host.env, "PATH": f"{room / 'bin'}{os.pathsep}{host.env['PATH']}"}
    agents = ["--impl-agent", "claude-code", "--review-agent", "claude-code"]
    argv = [
        str(reference()),
        "orchestrate",
        "--mission",
        project.mission,
        "--max-concurrent",
        str(SLOTS),
        *agents,
    ]
    wall, cpu, _ = timed(argv, project.root, env)
    return Cost(wall, cpu, len(log.read_text("utf-8").splitlines()))


def run_ours(host: RealHost, project: Project, room: Path, *, finish: bool) -> Cost:
    command = [str(executable(room / "bin" / "claude", AGENT))]
    kept = ("full_auto", "workspace_write", "none")
    enforce: dict[str, Any] = {axis: {mode: []} for axis, mode in zip(AXES, kept, strict=True)}
    agent = {"command": command, "enforce": enforce}
    profile: dict[str, Any] = {
        "version": 1,
        "host": {"command": [str(host.script)]},
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


def measure(host: RealHost, shape: Mapping[str, Sequence[str]]) -> dict[str, Cost]:
    """One round: each runner in turn on its own copy of the same mission."""
    costs = {}
    for name in (OURS, WHOLE, REFERENCE):
        with tempfile.TemporaryDirectory() as folder:
            project = host.project(spec(shape), Path(folder) / "project")
            room = Path(folder) / "room"
            room.mkdir()
            if name == REFERENCE:
                costs[name] = run_reference(host, project, room)
            else:
                costs[name] = run_ours(host, project, room, finish=name == WHOLE)
        print(name, costs[name], flush=True)
    return costs


def table(title: str, rounds: Sequence[Mapping[str, Cost]]) -> str:
    lines = [
        f"| {title}, rounds: {len(rounds)} | wall s | times less | CPU s | times less | host calls |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in (REFERENCE, OURS, WHOLE):
        costs = [one[name] for one in rounds]
        less = [
            spread([getattr(one[REFERENCE], what) / getattr(one[name], what) for one in rounds], 1)
            for what in ("wall", "cpu")
        ]
        walls, cpus = spread([cost.wall for cost in costs], 1), spread([cost.cpu for cost in costs], 1)
        calls = median(cost.calls for cost in costs)
        lines.append(f"| {name} | {walls} | {less[0]} | {cpus} | {less[1]} | {calls:.0f} |")
    return "\n".join(lines)


def write(measured: Mapping[str, Sequence[Mapping[str, Cost]]]) -> None:
    """The rounds of each shape, as a section of RESULTS.md."""
    tables = [table(title, rounds) for title, rounds in measured.items()]
    intro = (
        f"In turn, on copies of the same repositories (topology `lanes`), on host {MISSION_HOST}, with "
        f"agents that take no time and {SLOTS} slots. Ratios are of the same round; wanted on 4 work "
        f"packages are {WALL:.0f} times less wall time and {CPU:.0f} times less CPU time. CPU time is that "
        "of all processes."
    )
    write_section(TITLE, "\n\n".join([intro, *tables]))
    print("\n\n".join(tables))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds: int = parser.parse_args().rounds
    adopt_orphans()
    reference()
    host = install(MISSION_HOST)
    write({title: [measure(host, shape) for _ in range(rounds)] for title, shape in SHAPES.items()})


if __name__ == "__main__":
    main()
