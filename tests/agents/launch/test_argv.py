"""How an attempt's command is put together."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.launch.argv import Command, build
from kitty_run.agents.launch.prompts import variables
from kitty_run.execution.processes import LaunchError
from kitty_run.profile.model import Agent, Extra, Policy, RoleName

from tests.agents.making import POLICY, agent, context


def command(
    tmp_path: Path,
    one: Agent,
    role: RoleName = "implement",
    *,
    policy: Policy = POLICY,
    prompt: str = "Do it",
    session: str | None = None,
) -> Command:
    known = variables(context(tmp_path, role=role), one, policy, prompt)
    return build(one, role, policy, known, tmp_path / "prompt.md", session, tmp_path / "files")


def enforcing(**axes: Any) -> dict[str, Any]:
    return {**agent().enforce, **axes}


def test_argv_is_command_then_policy_then_role_then_args(tmp_path: Path) -> None:
    one = agent(roles={"review": Extra(("--tools", "read"))})
    policy = ("--sandbox", "ws", "--offline", "--no-ask")
    assert command(tmp_path, one, "review").argv == ("robo", "run", *policy, "--tools", "read", "--json")
    assert command(tmp_path, one, "implement").argv == ("robo", "run", *policy, "--json")


def test_a_prompt_on_stdin_is_the_file(tmp_path: Path) -> None:
    made = command(tmp_path, agent())
    assert made.stdin == tmp_path / "prompt.md"
    assert "Do it" not in made.argv


def test_a_prompt_as_argument_is_last_whole_and_hidden_from_view(tmp_path: Path) -> None:
    made = command(tmp_path, agent(prompt="argument"), prompt="two words\nand 'quotes'")
    assert made.argv[-1] == "two words\nand 'quotes'"
    assert made.shown[-1] == "<prompt>"
    assert made.shown[:-1] == made.argv[:-1]
    assert made.stdin is None


def test_a_prompt_as_file_is_named_where_the_args_say(tmp_path: Path) -> None:
    made = command(tmp_path, agent(prompt="file", args=("-f", "{{ prompt_file }}")))
    assert made.argv[-2:] == ("-f", str(tmp_path / "prompt.md"))
    assert made.stdin is None


def test_a_prompt_beyond_what_an_argument_holds_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="prompt: stdin"):
        command(tmp_path, agent(prompt="argument"), prompt="é" * 70_000)


def test_resume_takes_the_place_of_args_where_a_session_is_known(tmp_path: Path) -> None:
    one = agent(resume=("--resume", "{{ session }}"))
    assert command(tmp_path, one, session="s-1").argv[-2:] == ("--resume", "s-1")
    assert command(tmp_path, one).argv[-1] == "--json"
    assert command(tmp_path, agent(), session="s-1").argv[-1] == "--json"


def test_a_session_that_would_be_an_option_is_not_taken_up(tmp_path: Path) -> None:
    one = agent(resume=("--resume", "{{ session }}"))
    assert command(tmp_path, one, session="--all").argv == command(tmp_path, one).argv


def test_a_prompt_that_would_be_an_option_is_never_an_argument(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="begins with a dash"):
        command(tmp_path, agent(prompt="argument"), prompt="--all\n")
    assert "--all" not in command(tmp_path, agent(prompt="stdin"), prompt="--all\n").argv


def test_items_with_spaces_and_templates_stay_one_argument(tmp_path: Path) -> None:
    one = agent(args=("a b; c", "{{ wp.id }} {{ wp.title }}", "$HOME"))
    assert command(tmp_path, one).argv[-3:] == ("a b; c", "WP02 Retry payments", "$HOME")


def test_files_are_private_and_named_in_arguments_and_environment(tmp_path: Path) -> None:
    rules = Extra(
        ("--policy", "{{ files.rules_toml }}"),
        {"RULES": "{{ files.rules_toml }}"},
        {"rules_toml": "x={{ role }}"},
    )
    made = command(tmp_path, agent(enforce=enforcing(network_mode={"none": rules})))
    path = tmp_path / "files" / "rules.toml"
    assert not path.exists()
    made.write_files()
    made.write_files()
    assert path.read_text() == "x=implement"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in made.argv
    assert made.env == {"RULES": str(path)}


def test_a_policy_that_the_agent_cannot_keep_is_never_started(tmp_path: Path) -> None:
    policy = replace(POLICY, axes={**POLICY.axes, "sandbox_mode": "read_only"})
    with pytest.raises(LaunchError, match=r"robo cannot keep sandbox_mode: read_only.*workspace_write"):
        command(tmp_path, agent(), policy=policy)


def test_a_role_cannot_undo_what_the_policy_set_in_the_environment(tmp_path: Path) -> None:
    one = agent(
        enforce=enforcing(network_mode={"none": Extra(env={"NET": "off"})}),
        roles={"review": Extra(env={"NET": "on"})},
    )
    assert command(tmp_path, one, "implement").env == {"NET": "off"}
    with pytest.raises(LaunchError, match=r"env\.NET"):
        command(tmp_path, one, "review")


def test_secrets_in_arguments_are_not_shown(tmp_path: Path) -> None:
    made = command(tmp_path, agent(args=("--key", "sk-" + "a1" * 20)))
    assert made.argv[-1].startswith("sk-")
    assert made.shown[-1] == "***"
