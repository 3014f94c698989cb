"""What large missions cost the runner: 100 to 1,000 work packages, a fifth of them at once, in virtual time.

Run from the checkout: `python -m benchmarks.flat_cost`. Each size runs in a process of its own. Agents and
workspaces are simulated, and so is the host, whose own time is taken off.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from kitty_run.engine.scheduling.critical_path import ways_left
from kitty_run.engine.scheduling.dependency_graph import in_motion
from kitty_run.engine.session import Session
from kitty_run.engine.state.events import Event
from kitty_run.engine.state.run_state import Memory
from kitty_run.errors import ExitStatus
from kitty_run.host.model import Lane, WorkPackage
from kitty_run.host.sim.memory import SimHost
from kitty_run.host.sim.state import Answer

from benchmarks.results import write_section
from tests.engine import profiles
from tests.engine.world import Did, Job, World

SIZES = (100, 300, 1000)
LAYERS = 5
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """One run's: seconds of CPU but the host's, MB that the process grew by, events, attempts at once."""

    size: int
    cpu: float
    grown: float
    events: int
    peak: int
    decision: float
    """Seconds of one scheduling decision, halfway through the mission."""
    reopening: float
    """Seconds to read the journal and fold it, as a run that continues does."""


class TimedHost(SimHost):
    """Keeps the time that its own rules take."""

    seconds = 0.0

    def _answer(self, argv: tuple[str, ...]) -> Answer:
        began = time.process_time()
        try:
            return super()._answer(argv)
        finally:
            self.seconds += time.process_time() - began


def layered(size: int) -> dict[str, tuple[str, ...]]:
    """`size` work packages in layers, each after three of the layer before."""
    width = size // LAYERS
    ids = [f"WP{number:04}" for number in range(1, size + 1)]
    return {
        wp: tuple(ids[(at // width - 1) * width + (at + step) % width] for step in range(3))
        if at >= width
        else ()
        for at, wp in enumerate(ids)
    }


def measure(size: int, folder: Path) -> Cost:
    dependencies = layered(size)

    def script(job: Job) -> Did:
        world.jobs.clear()  # a record of the simulation, not of the runner
        seconds = 60.0 + hash(job.wp) % 97
        return job.work(seconds=seconds) if job.role == "implement" else job.verdict(seconds=seconds / 5)

    events: list[None] = []

    def count(_: World, __: Event, ___: Session) -> None:
        events.append(None)

    wanted = profiles.profile(work_packages=max(SIZES) // LAYERS)
    world = World(folder, dependencies, profile=wanted, script=script)
    world.host = TimedHost(held=world.host.held, repo=world.root)
    world.on_event = count
    base, began = _megabytes(), time.process_time()
    report = world.run()
    cpu = time.process_time() - began - world.host.seconds
    assert report.exit_status is ExitStatus.OK, report.reason
    grown = _megabytes() - base
    return Cost(size, cpu, grown, len(events), world.peak, decision(dependencies), reopening(world))


def decision(dependencies: Mapping[str, tuple[str, ...]]) -> float:
    """Seconds to find what may start, and in which order, with the first half done."""
    packages = tuple(WorkPackage(wp, Lane.PLANNED, names) for wp, names in dependencies.items())
    half = len(packages) // 2
    lanes = {wp.id: Lane.DONE if at < half else Lane.PLANNED for at, wp in enumerate(packages)}
    times = []
    for _ in range(50):
        began = time.process_time()
        in_motion(packages, lanes, frozenset({Lane.DONE}))
        ways_left(packages, lanes, {}, {})
        times.append(time.process_time() - began)
    return median(times)


def reopening(world: World) -> float:
    began, memory = time.process_time(), Memory()
    for entry in world.entries():
        memory.apply(entry)
    return time.process_time() - began


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(size: int) -> Cost:
    """The cost at `size`, measured in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.flat_cost", "--size", str(size)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(**json.loads(done.stdout))


def table(costs: Mapping[int, list[Cost]]) -> str:
    lines = [
        (
            "| work packages | attempts at once | events | CPU ms per work package | CPU ms per event "
            "| one decision ms | reading the journal ms per work package | memory MB |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size, rounds in costs.items():
        cpu = median(cost.cpu for cost in rounds)
        events, peak = rounds[0].events, rounds[0].peak
        columns = [
            str(size),
            str(peak),
            str(events),
            f"{cpu / size * 1000:.1f}",
            f"{cpu / events * 1000:.2f}",
            f"{median(cost.decision for cost in rounds) * 1000:.2f}",
            f"{median(cost.reopening for cost in rounds) / size * 1000:.2f}",
            f"{median(cost.grown for cost in rounds):.1f}",
        ]
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int)
    size: int | None = parser.parse_args().size
    if size is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asdict(measure(size, Path(folder)))))
        return
    costs = {size: [one(size) for _ in range(ROUNDS)] for size in SIZES}
    intro = f"Medians of {ROUNDS} runs; memory: what the process grew by, the simulation included."
    text = f"{intro}\n\n{table(costs)}"
    print(text)
    write_section("Large missions", text)


if __name__ == "__main__":
    main()
