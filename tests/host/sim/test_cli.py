"""The simulated host as a command: usage errors, envelopes and who it is, as each generation has them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kitty_run.host.transport.start import RawReply

from tests.git_repos import GitRepo
from tests.host.sim.in_process import ask


def sim(at: Path, *arguments: str, dialect: str = "mission") -> RawReply:
    return ask(at, arguments, {"KITTY_SIM_DIALECT": dialect})


def test_help_says_what_it_needs(tmp_path: Path) -> None:
    done = sim(tmp_path, "--help")
    assert done.status == 0
    assert "KITTY_SIM_DIALECT" in done.stdout


@pytest.mark.parametrize(("dialect", "version"), [("mission", "1.5.0"), ("feature", "1.0.0")])
def test_the_contract_version_is_answered_anywhere(tmp_path: Path, dialect: str, version: str) -> None:
    done = sim(tmp_path, "orchestrator-api", "contract-version", dialect=dialect)
    assert json.loads(done.stdout)["data"]["api_version"] == version


@pytest.mark.parametrize(
    "arguments",
    [
        ("contract-version", "--json"),
        ("mission-state",),
        ("mission-state", "--mission"),
        ("feature-state", "--feature", "x"),
        ("transition", "--mission", "x", "--wp", "WP01", "--to", "done", "--actor", "k", "--force"),
    ],
)
def test_a_usage_error_is_an_envelope_in_one_generation(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = sim(tmp_path, "orchestrator-api", *arguments)
    assert done.status == 2
    assert json.loads(done.stdout)["error_code"] == "USAGE_ERROR"


@pytest.mark.parametrize("arguments", [("mission-state", "--mission", "x"), ("feature-state", "--json"), ()])
def test_a_usage_error_is_prose_in_the_other(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = sim(tmp_path, "orchestrator-api", *arguments, dialect="feature")
    assert (done.status, done.stdout) == (2, "")
    assert "Error" in done.stderr


@pytest.mark.parametrize("mission", ["nope", "..", "../kitty-specs/demo", ""])
def test_an_unknown_mission_is_not_found(tmp_path: Path, mission: str) -> None:
    repo = GitRepo(tmp_path)
    repo.git("init", "-q")
    repo.commit("start", **{".kittify/config.yaml": "", "kitty-specs/demo/tasks/WP01.md": "x"})
    done = sim(tmp_path, "orchestrator-api", "mission-state", "--mission", mission)
    assert json.loads(done.stdout)["error_code"] == "MISSION_NOT_FOUND"
    found = sim(tmp_path, "orchestrator-api", "mission-state", "--mission", "demo")
    assert json.loads(found.stdout)["data"]["work_packages"][0]["lane"] == "planned"


def test_a_review_result_that_is_no_json_is_a_usage_error_of_its_own_status(tmp_path: Path) -> None:
    options = ("--mission", "x", "--wp", "WP01", "--to", "done", "--actor", "k", "--review-result-json", "{")
    assert sim(tmp_path, "orchestrator-api", "transition", *options).status == 1


def test_it_is_started_as_a_module_too(tmp_path: Path) -> None:
    argv = (sys.executable, "-m", "kitty_run.host.sim", "orchestrator-api", "mission-state", "--json")
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["error_code"]) == (2, "USAGE_ERROR")
