"""The check of the presets can fail: a small command line, with something wrong with it or its preset."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real_agents import fake_cli, installing
from tests.real_agents.__main__ import main

pytestmark = pytest.mark.whole

REASON = "no package registry that is used here has it, and no no-such-agent is in PATH"
WRITING = "{{ 'read' if role == 'review' else 'write' }}"
ENV = {"pass": ["PATH", "HOME", "FAKE_URL"]}
PRESET: dict[str, Any] = {
    "version": 1,
    "agents": {
        "fake": {
            "family": "fake",
            "command": ["fake", "run"],
            "enforce": {
                "sandbox_mode": {
                    "workspace_write": ["--mode", WRITING],
                    "read_only": ["--mode", "read"],
                    "none": ["--mode", WRITING],
                },
                "network_mode": {"none": [], "open": ["--shell"]},
                "approval_mode": {"supervised": []},
            },
            "args": ["--json"],
            "resume": {"args": ["--json", "--again", "{{ session }}"]},
            "env": ENV,
            "output": {
                "format": "json",
                "message": "/said",
                "session": "/session",
                "input_tokens": "/tokens",
            },
            "success": {"match": '"said"'},
            "failures": [
                {"class": "auth", "match": '"error": 401'},
                {"class": "rate_limited", "match": '"error": 429'},
                {"class": "overloaded", "match": '"error": 503'},
            ],
        }
    },
    "roles": {"implement": {"agents": ["fake"]}, "review": {"agents": ["fake"]}},
}
CATALOG = {
    "fake": {
        "command": "fake",
        "help": [["run", "--help"]],
        "mock": {
            "tool": "write",
            "arguments": {"path": "{file}"},
            "model": ["--json"],
            "shell": {"tool": "shell", "arguments": {"command": "{command}"}},
            "env": {"FAKE_URL": "{url}"},
        },
    },
    "absent": {"command": "no-such-agent"},
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A catalog, a preset and a command line; `check` is the exit status and the table."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def check(self, *faults: str, family: str = "fake", **changes: Any) -> tuple[int, list[str]]:
        document = yaml.safe_load(yaml.safe_dump(PRESET))
        agent = document["agents"]["fake"]
        agent.update(changes)
        catalog = yaml.safe_load(yaml.safe_dump(CATALOG))
        catalog["fake"]["mock"]["set"] = {"FAKE_FAULTS": " ".join(faults)}
        (self.folder / f"{family}.yaml").write_text(yaml.safe_dump(document))
        (self.folder / "catalog.yaml").write_text(yaml.safe_dump(catalog))
        status = main([family], self.folder / "catalog.yaml", self.folder)
        return status, self.capsys.readouterr().out.splitlines()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    script = tmp_path / "bin" / "fake"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -S {fake_cli.__file__} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(installing, "HOME", tmp_path / "scratch")
    (tmp_path / "presets").mkdir()
    return Bench(tmp_path / "presets", capsys)


def wrong(table: list[str]) -> list[str]:
    """What is wrong, a line each without its verdict."""
    return [" ".join(row.replace("WRONG", "").split()) for row in table if " WRONG " in row[:45]]


def why(table: list[str]) -> dict[str, str]:
    """What is wrong with which run."""
    found = {}
    for row in wrong(table):
        what, _, rest = row.removeprefix("fake ").partition("(")
        found[what.strip().rpartition(" ")[0]] = rest.partition("; it said: ")[0].rpartition("; ")[2]
    return {what: reason for what, reason in found.items() if what}


def test_a_sound_preset_is_found_sound(bench: Bench) -> None:
    status, table = bench.check()
    assert (status, wrong(table)) == (0, [])
    assert [row.split(" ok ")[0].split() for row in table[:-1]] == [
        ["fake", "install"],
        ["fake", "options"],
        ["fake", "implement", "workspace_write"],
        ["fake", "review", "workspace_write"],
        ["fake", "implement", "read_only"],
        ["fake", "review", "read_only"],
        ["fake", "implement", "none"],
        ["fake", "review", "none"],
        ["fake", "implement", "outside"],
        ["fake", "shell", "workspace_write", "none"],
        ["fake", "shell", "none", "none"],
        ["fake", "shell", "none", "open"],
        ["fake", "implement", "again"],
        ["fake", "no", "model"],
        ["fake", "implement", "401"],
        ["fake", "implement", "429"],
        ["fake", "implement", "503"],
    ]
    assert "fake 1.2.3" in table[0]
    assert "known to its parser" in table[1]
    assert table[-1] == "17 ok, 0 WRONG, 0 not looked at"


def test_what_the_parser_refuses_is_named_for_each_kind_of_run(bench: Bench) -> None:
    resume = {"args": ["--json", "--pick-up={{ session }}"]}
    status, table = bench.check(args=["--json", "--gone"], resume=resume)
    assert status == 1
    assert table[-1].endswith("WRONG, 0 not looked at: wrong in fake")
    assert "unknown option --gone" in wrong(table)[0]
    assert "unknown option --pick-up=" in wrong(table)[0]


def test_a_value_that_the_parser_refuses_is_named(bench: Bench) -> None:
    networks = {"none": [], "open": ["--mode", "own"]}
    status, table = bench.check(enforce={**PRESET["agents"]["fake"]["enforce"], "network_mode": networks})
    assert status == 1
    assert "--mode is one of read, write, not own" in wrong(table)[0]


def test_where_a_parser_takes_any_option_the_help_must_name_it(bench: Bench) -> None:
    status, table = bench.check("lax")
    assert (status, wrong(table)) == (0, [])
    assert "all in its help; it takes unknown ones too" in table[1]
    status, table = bench.check("lax", args=["--json", "--gone"])
    assert status == 1
    assert wrong(table) == ["fake options gone: --gone"]


def test_each_run_that_goes_otherwise_is_reported(bench: Bench) -> None:
    status, table = bench.check(
        "unconfined",
        "forgetful",
        args=["--json", "--mode", "write", "--shell"],
        failures=[],
        env={**ENV, "set": {"FAKE_FREE": "1"}},
    )
    assert status == 1
    assert why(table) == {
        "review workspace_write": "should write nothing",
        "implement read_only": "should write nothing",
        "review read_only": "should write nothing",
        "review none": "should write nothing",
        "implement outside": "should write nothing",
        "shell workspace_write none": "should reach no network",
        "shell none none": "should reach no network",
        "implement again": "should go on in the same session",
        "no model": "should be no success",
        "implement 401": "should be auth",
        "implement 429": "should be rate_limited",
        "implement 503": "should be overloaded",
    }


def test_what_a_success_does_not_report_is_reported(bench: Bench) -> None:
    status, table = bench.check(output={"format": "json", "session": "/session", "cost_usd": "/cost"})
    assert status == 1
    assert why(table)["implement none"] == "no message, no cost_usd"


def test_a_verdict_that_cannot_be_read_is_reported(bench: Bench) -> None:
    status, table = bench.check("flat")
    assert status == 1
    assert why(table) == {f"review {mode}": "no verdict" for mode in ("workspace_write", "read_only", "none")}


def test_a_success_that_is_not_recognised_is_reported(bench: Bench) -> None:
    status, table = bench.check(success={"match": "never"})
    assert status == 1
    assert why(table)["review none"] == "should be success"


def test_what_cannot_be_had_is_said_and_is_not_wrong(bench: Bench) -> None:
    status, table = bench.check(family="absent")
    assert status == 0
    assert table == [
        f"absent     install                    -      {REASON}",
        "0 ok, 0 WRONG, 1 not looked at",
    ]
