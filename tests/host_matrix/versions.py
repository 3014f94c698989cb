"""The hosts that the matrix has, and the topologies that a mission is played in on each dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kitty_run.demo.spec import Topology

VERSIONS = (
    *("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.1.3", "3.0.3", "3.1.10", "3.2.0", "3.2.3", "3.2.5", "3.2.6.2"),
    *("3.2.7", "4.0.0rc4", "4.0.0rc7"),
)
TOPOLOGIES: Mapping[str, Sequence[Topology | None]] = {
    "feature": (None,),
    "mission": ("coord", "lanes"),
    "mission-4": ("coord",),  # `lanes` is played by tests/e2e
}
