"""Who holds the policy of an agent: the runner's sandbox, its command line as it was checked, or nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kitty_run.cli.main import main
from kitty_run.profile.load import Loaded, load
from kitty_run.profile.trust.degree import Degree
from kitty_run.profile.trust.families import family_called, family_names, programs
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.resources import profiles_dir

DECLARED = ["danger-full-access", "--yes-always"]
SCRIPT = {
    "command": ["my-agent"],
    "enforce": {
        "sandbox_mode": {"workspace_write": "runner"},
        "network_mode": {"none": "runner", "open": []},
        "approval_mode": {"supervised": []},
    },
    "sandbox": "bubblewrap",
}


def loaded(folder: Path, base: str | None, **sections: Any) -> Loaded:
    document = {"version": 1, **({"extends": [f"preset:{base}"]} if base else {}), **sections}
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load(path)


def own(agent: dict[str, Any]) -> dict[str, Any]:
    roles = {role: {"agents": ["mine"]} for role in ("implement", "review")}
    return {"agents": {"mine": agent}, "roles": roles}


def policies(family: str) -> list[dict[str, Any]]:
    enforce = yaml.safe_load((profiles_dir() / "agents" / f"{family}.yaml").read_text("utf-8"))["agents"][
        family
    ]["enforce"]
    return [
        {"sandbox_mode": sandbox, "network_mode": network, "dangerous_flags": DECLARED}
        for sandbox in enforce["sandbox_mode"]
        for network in enforce["network_mode"]
        if network in {"none", "open"}
    ]


@pytest.mark.parametrize("family", family_names())
def test_an_unmodified_preset_is_what_was_checked_of_it(family: str, tmp_path: Path) -> None:
    checked = family_called(family).checked
    for policy in policies(family):
        trust = loaded(tmp_path, family, policy=policy).trust[family]
        for axis in ("sandbox_mode", "network_mode"):
            held = trust.axes[axis].degree
            expected = Degree.CLI if policy[axis] in checked.get(axis, ()) else Degree.DECLARED
            assert held in {expected, Degree.CONFINED}, (policy, axis)


def test_every_preset_of_an_agent_is_a_family_and_every_program_leads_to_one() -> None:
    presets = {path.stem for path in (profiles_dir() / "agents").glob("*.yaml")}
    assert set(family_names()) == presets
    assert set(programs().families.values()) == presets


@pytest.mark.parametrize("family", family_names())
def test_no_option_of_a_preset_outside_of_enforce_is_refused_or_lowers_it(
    family: str, tmp_path: Path
) -> None:
    for policy in policies(family):
        assert {
            reason.path[2] for reason in loaded(tmp_path, family, policy=policy).trust[family].reasons
        } <= {"enforce"}


HARMLESS: list[tuple[str, dict[str, Any]]] = [
    ("claude", {"command": ["claude", "-p", "--model", "opus"]}),
    ("claude", {"command": ["claude", "-p", "--model=opus", "--max-turns", "80"]}),
    ("codex", {"command": ["codex", "exec", "-m", "gpt-5-codex", "-c", "model_reasoning_effort=high"]}),
    ("opencode", {"command": ["opencode", "run", "-m", "openai/gpt-5"]}),
    ("pi", {"command": ["pi", "-p", "--mode", "json", "--model", "openai/gpt-5"]}),
    ("gemini", {"command": ["gemini", "--skip-trust", "-m", "gemini-2.5-pro"]}),
    ("claude", {"env": {"set": {"CI": "1", "ANTHROPIC_MODEL": "opus"}}}),
    ("claude", {"env": {"pass": ["PATH", "HOME", "LANG", "ANTHROPIC_API_KEY", "CI"]}}),
    ("claude", {"resume": None, "timeout": "2h", "output": {"format": "jsonl", "message": "/result"}}),
    ("codex", {"enforce": {"sandbox_mode": {"none": ["--sandbox", "workspace-write"]}}}),
]
"""What may be said of a preset's agent without touching its policy; the last is for another policy."""


@pytest.mark.parametrize(("family", "change"), HARMLESS)
def test_what_touches_no_policy_leaves_the_degree(
    family: str, change: dict[str, Any], tmp_path: Path
) -> None:
    before = loaded(tmp_path, family).trust[family]
    assert loaded(tmp_path, family, agents={family: change}).trust[family].degrees() == before.degrees()


def test_the_runners_sandbox_confines_whatever_runs_in_it(tmp_path: Path) -> None:
    trust = loaded(tmp_path, None, assurance="confined", **own(SCRIPT)).trust["mine"]
    assert trust.degree is Degree.CONFINED
    assert trust.degrees() == {
        "sandbox_mode": "confined",
        "network_mode": "confined",
        "approval_mode": "declared",
    }


OWN = {
    "command": ["my-agent"],
    "enforce": {
        "sandbox_mode": {"workspace_write": []},
        "network_mode": {"none": []},
        "approval_mode": {"supervised": []},
    },
}


def test_what_no_preset_is_for_is_declared_and_no_line_of_it_lowers_that(tmp_path: Path) -> None:
    roles = {"implement": {"agents": ["mine"]}, "review": {"agents": ["mine"]}}
    found = loaded(tmp_path, None, agents={"mine": OWN}, roles=roles)
    assert {one.degree for one in found.trust.values()} == {Degree.DECLARED}
    assert list(found.notes) == []
    wanted = refused(tmp_path, None, agents={"mine": OWN}, roles=roles, assurance="cli")
    assert wanted, "assurance refuses it"


def refused(tmp_path: Path, base: str | None, **sections: Any) -> list[tuple[str, str]]:
    with pytest.raises(ProfileInvalid) as caught:
        loaded(tmp_path, base, **sections)
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def test_assurance_refuses_what_is_held_less_well_at_the_line_that_lowers_it(tmp_path: Path) -> None:
    change = {"claude": {"env": {"set": {"LD_PRELOAD": "x.so"}}}}
    found = refused(tmp_path, "claude", assurance="cli", agents=change)
    assert {pointer for pointer, _ in found} == {"/agents/claude/env/set/LD_PRELOAD"}
    message = "`assurance` asks for cli {}, but that of the agent 'claude' is declared"
    assert [text for _, text in found] == [message.format(axis) for axis in ("network_mode", "sandbox_mode")]


def test_assurance_can_be_asked_by_axis(tmp_path: Path) -> None:
    assert refused(tmp_path, "claude", assurance={"network_mode": "confined"}) == [
        (
            "/agents/claude/enforce/network_mode/none",
            "`assurance` asks for confined network_mode, but that of the agent 'claude' is cli",
        )
    ]
    assert loaded(tmp_path, "pi", assurance={"sandbox_mode": "confined", "network_mode": "cli"}).trust


def test_what_restricts_nothing_needs_nobody_to_hold_it(tmp_path: Path) -> None:
    policy = {"network_mode": "open", "sandbox_mode": "none"}
    agent = {**SCRIPT, "enforce": {**SCRIPT["enforce"], "sandbox_mode": {"none": []}}}  # type: ignore[dict-item]
    assert loaded(tmp_path, None, policy=policy, assurance="confined", **own(agent))


def test_assurance_can_be_locked(tmp_path: Path) -> None:
    base = {"version": 1, "extends": ["preset:claude"], "assurance": "cli", "locked": ["/assurance"]}
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    path = tmp_path / "profile.yaml"
    path.write_text("version: 1\nextends: [base.yaml]\nassurance: declared\n", encoding="utf-8")
    with pytest.raises(ProfileInvalid, match="/assurance: is locked"):
        load(path)


def test_a_word_that_is_no_degree_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "claude", assurance="sure") == [
        ("/assurance", "the text 'sure' is not a degree of trust")
    ]


def test_validate_notes_the_line_and_stays_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text("version: 1\nextends: preset:claude\nagents: {claude: {args: [--verbose]}}\n", "utf-8")
    assert main(["validate", str(path), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["valid"]
    (note,) = printed["problems"]
    assert (note["severity"], note["line"], note["column"]) == ("note", 3, 19)
    assert main(["validate", str(path), "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith(f"::notice file={path},line=3,col=19::/agents/claude/args: ")


def test_explain_says_who_holds_the_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text("version: 1\nextends: preset:pi\nagents: {pi: {args: [--verbose]}}\n", "utf-8")
    assert main(["explain", str(path)]) == 0
    said = capsys.readouterr().out
    held = "sandbox_mode confined, network_mode declared, approval_mode declared"
    assert f"# trust in what holds the policy of pi: {held}\n" in said
    assert f"#   {path}:3: it is not as in args of preset:pi: " in said
