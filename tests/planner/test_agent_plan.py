"""What would be started for an agent: its command line with placeholders, and what keeps the policy."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from kitty_run.agents.launch.argv import Command, build
from kitty_run.agents.launch.prompts import variables
from kitty_run.errors import LaunchError
from kitty_run.planner.agent_plan import planned_agent
from kitty_run.planner.plan import AgentPlan, KeptAxis
from kitty_run.profile.load import load
from kitty_run.profile.model import Extra, Profile, RoleName
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.trust.families import family_names

from tests.agents.making import context
from tests.engine import profiles


def of(role: RoleName = "implement", **changes: object) -> AgentPlan:
    """The plan for Ada, changed."""
    profile = profiles.profile()
    return planned_agent(profile, changed(profile, **changes).agents["ada"], role, "demo")


def changed(profile: Profile, **changes: object) -> Profile:
    ada = replace(profile.agents["ada"], **changes)  # type: ignore[arg-type]
    return replace(profile, agents={**profile.agents, "ada": ada})


def kept(axis: str, extra: Extra, **changes: object) -> KeptAxis:
    enforce = {**profiles.ENFORCE, axis: {profiles.POLICY.axes[axis]: extra}}
    (found,) = [one for one in of(enforce=enforce, **changes).kept if one.axis == axis]
    return found


def test_what_only_a_run_knows_is_in_angle_brackets() -> None:
    plan = of(args=("--in", "{{ workspace }}", "--as", "{{ wp.id }}: {{ wp.title }}", "{{ mission }}"))
    assert plan.argv == ("ada", "--in", "<workspace>", "--as", "<wp>: <title>", "demo")


@pytest.mark.parametrize(("prompt", "stdin"), [("stdin", True), ("argument", False), ("file", False)])
def test_the_way_of_the_prompt_is_shown(prompt: str, stdin: bool) -> None:
    plan = of(prompt=prompt, args=("--file", "{{ prompt_file }}") if prompt == "file" else ())
    assert plan.stdin is stdin
    assert ("<prompt>" in plan.argv) is (prompt == "argument")
    assert ("<prompt-file>" in plan.argv) is (prompt == "file")


def test_a_session_that_continues_has_a_command_line_of_its_own() -> None:
    plan = of(resume=("--continue", "{{ session }}"))
    assert plan.resumed is not None
    assert plan.resumed[-2:] == ("--continue", "<session>")
    assert "<session>" not in plan.argv
    assert of().resumed is None


def test_a_reviewer_knows_where_its_verdict_goes_and_an_implementer_does_not() -> None:
    words = ("--verdict", "{{ verdict_file }}")
    assert "<verdict-file>" in of("review", args=words).argv
    assert "<verdict-file>" not in of("implement", args=words).argv


def test_arguments_variables_and_files_each_keep_a_value() -> None:
    by_argument = kept("network_mode", Extra(args=("--offline",)))
    by_variable = kept("network_mode", Extra(env={"ADA_OFFLINE": "1"}))
    by_file = kept("network_mode", Extra(files={"rules_toml": "net = false"}))
    assert (by_argument.args, by_variable.env) == (("--offline",), ("ADA_OFFLINE",))
    assert [name.startswith("<files>/rules") for name in by_file.files] == [True]
    assert [one.is_kept for one in (by_argument, by_variable, by_file)] == [True] * 3


def test_the_runners_sandbox_keeps_what_it_is_asked_to() -> None:
    by_runner = kept("sandbox_mode", Extra(runner=True), sandbox="bubblewrap")
    assert (by_runner.sandbox, by_runner.is_kept) == ("bubblewrap", True)


def test_a_value_that_nothing_keeps_is_said_to_be_so_unless_it_asks_for_nothing() -> None:
    plan = {one.axis: one for one in of().kept}
    assert not any(one.is_kept for one in plan.values())
    assert [axis for axis, one in plan.items() if one.unrestricted] == ["approval_mode"]


def test_an_agent_that_cannot_keep_the_policy_is_refused_as_a_run_would() -> None:
    with pytest.raises(LaunchError, match=r"agent ada cannot keep network_mode: none; .* lists open"):
        of(enforce={**profiles.ENFORCE, "network_mode": {"open": Extra()}})


def planned(folder: Path, family: str, policy: dict[str, object]) -> Profile:
    path = folder / "profile.yaml"
    document = {"version": 1, "extends": [f"preset:{family}"], "policy": policy}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load(path).profile


@pytest.mark.parametrize("family", family_names())
def test_the_plan_of_a_preset_says_what_its_command_line_does(family: str, tmp_path: Path) -> None:
    """Each axis that it says is kept is kept by what it names, and changes nothing where it names nothing."""
    flags = ["danger-full-access", "--yes-always"]
    enforce = planned(
        tmp_path, family, {"sandbox_mode": "none", "network_mode": "open", "dangerous_flags": flags}
    )
    tables = enforce.agents[family].enforce
    for sandbox, network in itertools.product(tables["sandbox_mode"], tables["network_mode"]):
        policy = {"sandbox_mode": sandbox, "network_mode": network, "dangerous_flags": flags}
        profile = planned(tmp_path, family, policy)
        for role in ("implement", "review"):
            plan = planned_agent(profile, profile.agents[family], role, "demo")
            made = launched(profile, family, role)
            for axis in plan.kept:
                assert " ".join(axis.args) in " ".join(made.argv)
                assert set(axis.env) <= set(made.env)
                assert set(axis.files) <= {str(file) for file in made.files}
                assert axis.trust
                free = replace(profile.policy, axes={**profile.policy.axes, axis.axis: free_value(axis.axis)})
                other = launched(replace(profile, policy=free), family, role)
                says_something = axis.is_kept or axis.with_others or axis.unrestricted
                assert says_something or (made.argv, made.env, made.files) == (
                    other.argv,
                    other.env,
                    other.files,
                )


def free_value(axis: str) -> str:
    return policy_axes()[axis].unrestricted


def launched(profile: Profile, family: str, role: RoleName) -> Command:
    agent = profile.agents[family]
    known = variables(context(Path("/ws"), role=role), agent, profile.policy, "Do it")
    return build(agent, role, profile.policy, known, Path("/prompt"), None, Path("<files>"))
