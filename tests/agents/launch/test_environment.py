"""What an agent finds in its environment."""

from __future__ import annotations

from pathlib import Path

from kitty_run.agents.launch.environment import environment, runner_variables
from kitty_run.agents.model import Slip
from kitty_run.profile.model import AgentEnv

from tests.agents.making import context

SOURCE = {"PATH": "/bin", "HOME": "/h", "MY_SECRET": "s", "LANG": "C"}


def test_only_listed_names_and_path_are_inherited() -> None:
    assert environment(AgentEnv(("HOME", "NOT_SET")), {}, {}, SOURCE) == {"PATH": "/bin", "HOME": "/h"}


def test_later_sources_win() -> None:
    allowed = AgentEnv(("HOME", "LANG"), {"PATH": "/only", "LANG": "de", "X": "set"})
    made = environment(allowed, {"X": "policy", "KITTY_WP": "fake"}, {"KITTY_WP": "WP01"}, SOURCE)
    assert made == {"PATH": "/only", "HOME": "/h", "LANG": "de", "X": "policy", "KITTY_WP": "WP01"}


def test_the_environment_names_what_is_worked_on(tmp_path: Path) -> None:
    names = runner_variables(context(tmp_path, attempt=2, cycle=3), "/p.md")
    assert names == {
        "KITTY_RUN_ID": "r1",
        "KITTY_MISSION": "034-payments",
        "KITTY_WP": "WP02",
        "KITTY_ROLE": "implement",
        "KITTY_ATTEMPT": "2",
        "KITTY_CYCLE": "3",
        "KITTY_WORKSPACE": str(tmp_path),
        "KITTY_PROMPT_FILE": "/p.md",
    }


def test_a_reviewers_environment_says_where_its_verdict_goes(tmp_path: Path) -> None:
    review = context(tmp_path, role="review", slip=Slip(tmp_path / "v.json", "c0de"))
    assert runner_variables(review, "/p.md")["KITTY_VERDICT_FILE"] == str(tmp_path / "v.json")
    assert runner_variables(review, "/p.md")["KITTY_VERDICT_CODE"] == "c0de"
