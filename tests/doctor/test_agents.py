"""Agents: whether they are installed, whether what they need is set, and what keeps the policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kitty_run.doctor import agents as room
from kitty_run.doctor.agents import agents, known_agents
from kitty_run.doctor.finding import State, exit_status
from kitty_run.errors import ExitStatus
from kitty_run.profile.limits import Resources
from kitty_run.profile.model import AgentEnv, Extra, Profile

from tests.doctor.conftest import Install
from tests.doctor.found import collected, of
from tests.engine import profiles


def kept_by(args: tuple[str, ...]) -> dict[str, dict[str, Extra]]:
    return {axis: {value: Extra(args=args) for value in values} for axis, values in profiles.ENFORCE.items()}


def change(profile: Profile, name: str, **changes: object) -> Profile:
    changed = replace(profile.agents[name], **changes)  # type: ignore[arg-type]
    return replace(profile, agents={**profile.agents, name: changed})


@pytest.fixture
def profile() -> Profile:
    """Ada implements and Bob reviews, each with arguments for the whole policy."""
    made = profiles.profile()
    return change(change(made, "ada", enforce=kept_by(("--safe",))), "bob", enforce=kept_by(("--safe",)))


def test_installed_agents_are_named_with_their_versions(install: Install, profile: Profile) -> None:
    ada = install("ada", "echo ada 7")
    install("bob", "exit 1")
    found = collected(agents(profile))
    assert of(found, "agent ada").text == f"{ada}: ada 7"
    assert of(found, "agent bob").text.endswith(": says no version")
    assert of(found, "policy").text == "every restriction is passed to every agent that a role uses"
    assert exit_status(found) is ExitStatus.OK


def test_an_agent_that_is_not_there_is_in_the_way(install: Install, profile: Profile) -> None:
    install("ada")
    found = collected(agents(profile))
    assert of(found, "agent bob").state is State.BAD
    assert of(found, "agent bob").text == "`bob` is not on PATH"
    assert exit_status(found) is ExitStatus.INCOMPLETE


def test_an_agent_of_two_roles_is_looked_for_once(install: Install) -> None:
    profile = profiles.profile(implement=("ada",), review=("ada",))
    install("ada")
    assert [one.subject for one in collected(agents(profile))].count("agent ada") == 1


def test_a_variable_that_an_agent_needs_and_nobody_set_is_named(
    install: Install, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("ada")
    install("bob")
    monkeypatch.setenv("ADA_SET", "1")
    monkeypatch.delenv("ADA_KEY", raising=False)
    asked = change(profile, "ada", env=AgentEnv(passed=("ADA_SET", "ADA_KEY")))
    assert of(collected(agents(asked)), "agent ada").text.endswith("; not set here: ADA_KEY")


def test_a_restriction_that_nothing_keeps_is_noted_once_for_each_agent_and_axis(install: Install) -> None:
    profile = profiles.profile(implement=("ada",), review=("ada",))
    install("ada")
    found = [one for one in collected(agents(profile)) if one.subject == "policy"]
    assert {one.state for one in found} == {State.NOTE}
    assert sorted(one.text for one in found) == [
        "ada has no argument that keeps network_mode: none",
        "ada has no argument that keeps sandbox_mode: workspace_write",
    ]


def test_gates_keep_an_approval_mode_that_the_agent_can_not(install: Install, profile: Profile) -> None:
    install("ada")
    install("bob")
    asking, silent = {"supervised": Extra(args=("--ask",))}, {"supervised": Extra()}
    supervised = replace(
        profile, policy=replace(profile.policy, axes={**profile.policy.axes, "approval_mode": "supervised"})
    )
    supervised = change(supervised, "bob", enforce={**kept_by(("-s",)), "approval_mode": asking})
    supervised = change(supervised, "ada", enforce={**kept_by(("-s",)), "approval_mode": silent})
    texts = [one.text for one in collected(agents(supervised)) if one.subject == "policy"]
    assert "ada has no argument that keeps approval_mode: supervised" in texts
    gated = replace(supervised, gates=("done",))
    assert [one.state for one in collected(agents(gated)) if one.subject == "policy"] == [State.OK]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (None, (State.OK, "bubblewrap works, for ada")),
        ("`bwrap` is not on PATH", (State.BAD, "ada: `bwrap` is not on PATH")),
    ],
)
def test_the_runners_own_sandbox_is_tried_where_an_agent_needs_it(
    install: Install, profile: Profile, monkeypatch: pytest.MonkeyPatch, reason: str | None, told: object
) -> None:
    for name in ("ada", "bob"):
        install(name)
    monkeypatch.setattr(room, "unavailable", lambda: reason)
    enforce = {**kept_by(("--safe",)), "sandbox_mode": {"workspace_write": Extra(runner=True)}}
    confined = change(profile, "ada", enforce=enforce, sandbox="bubblewrap")
    found = of(collected(agents(confined)), "sandbox")
    assert (found.state, found.text) == told


def test_resources_that_nothing_holds_are_said(install: Install, profile: Profile) -> None:
    for name in ("ada", "bob"):
        install(name)
    found = of(collected(agents(change(profile, "ada", resources=Resources(memory=2**30)))), "sandbox")
    assert (found.state, found.text.startswith("ada: `resources` is held")) == (State.BAD, True)


def test_without_a_profile_the_agents_of_the_presets_are_looked_for(install: Install) -> None:
    install("claude")
    (found,) = known_agents()
    assert (found.state, found.text.startswith("on PATH: claude (")) == (State.OK, True)
    assert "`extends: [preset:claude]` uses one; not here:" in found.text


def test_a_machine_without_any_of_them_is_shown_which_there_are(install: Install) -> None:
    (found,) = known_agents()
    assert found.state is State.NOTE
    assert "claude" in found.advice
