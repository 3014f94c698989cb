"""The hosts and topologies that a mission is played on: simulated ones, and which real ones when."""

from __future__ import annotations

from typing import Any

import pytest
from kitty_run.demo.spec import Topology

from tests.hosts import FEATURE_HOST, MISSION_HOST, SIMULATED_FEATURE, SIMULATED_MISSION, SIMULATED_NEXT

PLACE = ("version", "topology")
SIMULATED = pytest.param(SIMULATED_FEATURE, None, marks=pytest.mark.whole, id="simulated")
SIMULATED_LANES = pytest.param(SIMULATED_MISSION, "lanes", marks=pytest.mark.whole, id="simulated-lanes")
"""Here the host makes the worktrees, where on the other one the runner does."""
SIMULATED_TOPOLOGIES = {
    topology: pytest.param(SIMULATED_NEXT, topology, marks=pytest.mark.whole, id=f"simulated-{topology}")
    for topology in ("coord", "single_branch")
}
"""Those that only the newest generation has: the status on a branch of its own, the work on the target."""


def real(version: str, topology: Topology | None = None) -> Any:
    """A real host, in `make test`."""
    return pytest.param(version, topology, marks=pytest.mark.real_host)


def slow(version: str, topology: Topology | None = None) -> Any:
    """A real host, in `make test-all`: for what `make test` proves on a simulated one."""
    return pytest.param(version, topology, marks=[pytest.mark.real_host, pytest.mark.slow])


def later(*topologies: Topology) -> list[Any]:
    """Both generations of real hosts in `make test-all`, the younger one with each of `topologies`."""
    return [slow(FEATURE_HOST), *(slow(MISSION_HOST, topology) for topology in topologies)]
