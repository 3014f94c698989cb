"""Missions with acceptance criteria, in the simulation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kitty_run.host.criteria import Criterion

from tests.engine.world import World


def wanting(world: World, wanted: Mapping[str, Sequence[str]], *, personal: Sequence[str] = ()) -> None:
    """Have `world`'s mission want the criteria that its work packages are to meet: ids by work package."""
    for wp, ids in wanted.items():
        path = world.host.prompt_file(wp)
        assert path is not None
        front, text = "---\n", path.read_text(encoding="utf-8")
        assert text.startswith(front)
        refs = f"requirement_refs: {json.dumps(list(ids))}\n"
        path.write_text(front + refs + text.removeprefix(front), encoding="utf-8")
    names = dict.fromkeys([*(name for ids in wanted.values() for name in ids), *personal])
    world.host.wanted = tuple(Criterion(name, f"{name} holds", True, name in personal) for name in names)
