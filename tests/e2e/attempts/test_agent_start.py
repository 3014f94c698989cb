"""How agents are started: ways to get the prompt, and commands that are not there."""

from __future__ import annotations

from typing import Any

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.bench import mission, wide
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, slow
from tests.hosts import FEATURE_HOST

PLACES = [SIMULATED, slow(FEATURE_HOST)]


@pytest.mark.parametrize(PLACE, PLACES)
def test_the_prompt_comes_whole_in_whatever_way_is_asked_for(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(3), topology))
    agents: dict[str, Any] = it.profile["agents"]
    ways: dict[str, dict[str, Any]] = {
        "stdin": {"prompt": "stdin"},
        "argument": {"prompt": "argument"},
        "file": {"prompt": "file", "args": ["--prompt-file", "{{ prompt_file }}"]},
    }
    agents |= {name: agents["imp"] | way for name, way in ways.items()}
    it.profile["roles"]["implement"]["agents"] = list(ways)
    it.profile["retry"]["agent"] = {"default": {"do": "fallback"}}
    it.plan(
        {
            "WP01": ["reads_prompt"],
            "WP02": ["fails", "reads_prompt"],
            "WP03": ["fails", "fails", "reads_prompt"],
        }
    )
    ran = it.run()
    assert ran.status == 0, ran.text
    used = [
        event["agent"]
        for event in it.events("attempt.ended")
        if event["role"] == "implement" and not event["failure"]
    ]
    assert sorted(used) == sorted(ways)
    assert it.tree() == it.written()


@pytest.mark.parametrize(PLACE, PLACES)
def test_a_command_that_is_not_there_gives_way_to_the_next_agent(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(1), topology))
    it.profile["agents"]["gone"] = it.profile["agents"]["imp"] | {"command": ["no-such-agent-anywhere"]}
    it.profile["roles"]["implement"]["agents"] = ["gone", "imp"]
    it.profile["retry"]["agent"] = {"not_installed": {"do": "fallback"}}
    ran = it.run()
    assert ran.status == 0, ran.text
    assert it.tree() == it.written()
    it.profile["roles"]["implement"]["agents"] = ["gone"]


@pytest.mark.parametrize(PLACE, PLACES)
def test_a_command_that_is_not_there_is_named(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(1), topology))
    it.profile["agents"]["imp"]["command"] = ["no-such-agent-anywhere"]
    ran = it.run()
    assert ran.status == 1, ran.text
    assert "no-such-agent-anywhere" in ran.reason("WP01"), ran.text
