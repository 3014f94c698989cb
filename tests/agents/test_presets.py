"""The agent families that ship: policies, command lines, and real CLIs' outputs as their rules read them.

Recordings are real CLIs' runs, without credentials or against a mock model service on loopback; a
killed one (exit status 124 of `timeout`) is taken for an attempt that the runner ended. `expected.tsv` says
of each what was done to it (`cause`) and what the runner makes of it.
"""

from __future__ import annotations

import csv
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from kitty_run.agents.launch.argv import build
from kitty_run.agents.launch.prompts import variables
from kitty_run.agents.model import Exit, added
from kitty_run.agents.results.outcome import classify
from kitty_run.profile.confinement import confined_axes
from kitty_run.profile.load import load
from kitty_run.profile.model import Agent, Profile, RoleName
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.flags import banned
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.resources import profiles_dir
from kitty_run.text.clean import clean

from tests.agents.making import NOW, context, ended

RECORDED = Path(__file__).parent / "recorded"
FAMILIES = sorted(path.stem for path in (profiles_dir() / "agents").glob("*.yaml"))
CONFINED = {
    *("claude", "codex", "copilot", "gemini", "opencode", "kilocode", "vibe"),
    *("qwen", "pi", "augment", "kimi"),
}
"""The families that keep the policy a profile has by default, `workspace_write` and no network: by
themselves, or, the last four, inside the runner's sandbox."""

MEANS: dict[str, set[str]] = {
    "success": {"success"},
    "auth": {"auth"},
    "billing": {"auth"},
    "quota": {"auth", "rate_limited"},
    "rate_limit": {"rate_limited"},
    "usage_limit": {"auth", "rate_limited"},
    "overloaded": {"overloaded"},
    "server_error": {"overloaded"},
    "network": {"network"},
    "context_limit": {"context_limit"},
    "config": {"auth", "failed"},
}
"""What the runner may make of what was done to a CLI; of all else, `failed`. One that was ended while it
waited without a word of why is a `timeout`."""

UNTOLD = {("augment", "ag-e401"), ("copilot", "cp-sandbox")}
"""The service told the first of another error, and the second worked without its sandbox."""

SANDBOXES, NETWORKS = ("read_only", "workspace_write", "none"), ("none", "allowlist", "open")
DECLARED = ["danger-full-access", "--yes-always"]
ROLES: tuple[RoleName, ...] = ("implement", "review")


def profile(directory: Path, family: str, sandbox: str, network: str) -> Profile:
    path = directory / "profile.yaml"
    policy = {"sandbox_mode": sandbox, "network_mode": network, "dangerous_flags": DECLARED}
    path.write_text(f"version: 1\nextends: [preset:{family}]\npolicy: {policy}\n")
    return load(path).profile


@cache
def permissive(family: str) -> Agent:
    """The family's agent, from the preset itself."""
    with tempfile.TemporaryDirectory() as directory:
        return profile(Path(directory), family, "none", "open").agents[family]


def recordings() -> list[dict[str, str]]:
    with (RECORDED / "expected.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def replayed(directory: Path, path: Path) -> Exit:
    text = path.read_text(encoding="utf-8")
    head, _, output = text.partition("## stdout\n")
    stdout, _, stderr = output.partition("## stderr\n")
    status = int(head.rpartition("## exit status\n")[2])
    if status == 124:
        return ended(directory, stdout, stderr, ending="timeout", status=None)
    return ended(directory, stdout, stderr, status=status)


def test_all_families_are_here() -> None:
    asked = {
        "claude",
        "codex",
        "copilot",
        "gemini",
        "qwen",
        "opencode",
        "kilocode",
        "augment",
        "cursor",
        "pi",
        "letta",
    }
    assert asked < set(FAMILIES)
    assert len(FAMILIES) >= len(asked) + 3


@pytest.mark.parametrize("recording", recordings(), ids=lambda row: row["recording"])
def test_a_real_clis_end_is_understood(tmp_path: Path, recording: dict[str, str]) -> None:
    end = replayed(tmp_path, RECORDED / recording["family"] / f"{recording['recording']}.txt")
    found = classify(permissive(recording["family"]), end, NOW)
    message, tokens = (found.message or "").split("\n")[0][:60], added(found.models)
    seen: dict[str, Any] = {
        "outcome": found.failure or "success",
        "message": message,
        "session": found.session,
        "cost_usd": found.cost_usd,
        "model": ", ".join(one.model for one in found.models if one.model) or None,
        "input_tokens": tokens.input_tokens,
        "cached_tokens": tokens.cached_tokens,
        "output_tokens": tokens.output_tokens,
        "resets_at": found.resets_at.isoformat() if found.resets_at else None,
    }
    assert {key: "" if value is None else str(value) for key, value in seen.items()} == {
        key: recording[key] for key in seen
    }


@pytest.mark.parametrize("row", recordings(), ids=lambda row: f"{row['family']}-{row['recording']}")
def test_what_is_expected_of_a_recording_fits_what_was_done_to_the_cli(row: dict[str, str]) -> None:
    cause, _, killed = row["cause"].partition("(")
    allowed = MEANS.get(cause, {"failed"}) | ({"timeout"} if killed else set())
    assert row["outcome"] in allowed or (row["family"], row["recording"]) in UNTOLD


@pytest.mark.parametrize("family", FAMILIES)
def test_a_success_reports_what_its_family_maps(family: str) -> None:
    """Of each family whose success could be recorded, one recording at least has all that `output` names."""
    output = permissive(family).output
    names = ("session", "model", "cost_usd", "input_tokens", "cached_tokens", "output_tokens")
    mapped = [name for name in names if getattr(output, name) or f"<{name}>" in (output.usage or "")]
    successes = [row for row in recordings() if (row["family"], row["outcome"]) == (family, "success")]
    assert bool(successes) == (family not in {"augment", "cursor"})
    assert not successes or any(row["message"] and all(row[name] for name in mapped) for row in successes)


def test_every_recording_is_expected_to_be_something() -> None:
    expected = {(row["family"], row["recording"]) for row in recordings()}
    assert expected == {(path.parent.name, path.stem) for path in RECORDED.glob("*/*.txt")}


def test_recordings_hold_no_secrets() -> None:
    for path in RECORDED.glob("*/*.txt"):
        text = path.read_text(encoding="utf-8")
        assert clean(text).count("***") == text.count("***"), path  # colours are cleaned, too


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_policy_is_kept_by_some_arguments_or_refused(
    tmp_path: Path, family: str, sandbox: str, network: str
) -> None:
    table = permissive(family).enforce
    if sandbox not in table["sandbox_mode"] or network not in table["network_mode"]:
        with pytest.raises(ProfileInvalid, match="can't keep"):
            profile(tmp_path, family, sandbox, network)
        return
    made = profile(tmp_path, family, sandbox, network)
    agent = made.agents[family]
    for role in ROLES:
        known = variables(context(tmp_path, role=role), agent, made.policy, "PROMPT")
        for session in (None, "s-1"):
            command = build(agent, role, made.policy, known, tmp_path / "p", session, tmp_path / "files")
            assert not any(flag.found_in(command.argv) for flag in banned())
            assert ("danger-full-access" in command.argv) == (
                family == "codex" and (sandbox, network, role) == ("none", "open", "implement")
            )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_default_policy_is_kept_or_refused(tmp_path: Path, family: str) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(f"version: 1\nextends: [preset:{family}]\n")
    if family in CONFINED:
        assert load(path).profile.roles["implement"].agents == (family,)
    else:
        with pytest.raises(ProfileInvalid):
            load(path)


ALLOWLIST = sorted(set(FAMILIES) - {"codex", "cursor"})
"""The families whose attempts run in the runner's sandbox with one word; the others' own sandbox can't be
switched off without a dangerous flag, or they were not run."""


@pytest.mark.parametrize("family", FAMILIES)
def test_an_allow_list_is_one_word(tmp_path: Path, family: str) -> None:
    path = tmp_path / "profile.yaml"
    flags = "dangerous_flags: [--yes-always], " if family == "aider" else ""
    policy = f"policy: {{{flags}network_mode: allowlist}}"
    path.write_text(f"version: 1\nextends: [preset:{family}]\n{policy}\n")
    if family not in ALLOWLIST:
        with pytest.raises(ProfileInvalid, match="can't keep network_mode: allowlist"):
            load(path)
        return
    made = load(path).profile
    agent = made.agents[family]
    assert confined_axes(agent, made.policy) == {"sandbox_mode", "network_mode"}
    assert agent.network.hosts
    assert agent.home
    assert not {".cache", ".config", ".local", ".local/share"} & set(agent.home)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_says_how_it_keeps_each_axis_and_when_it_succeeded(family: str) -> None:
    agent = permissive(family)
    assert agent.family == family
    assert set(agent.enforce) == set(policy_axes())
    assert agent.success
    assert agent.failures
    assert {"PATH", "HOME"} <= set(agent.env.passed)
    assert agent.output.message or agent.output.format == "text"


def argv(directory: Path, family: str, sandbox: str, network: str, role: RoleName) -> str:
    made = profile(directory, family, sandbox, network)
    agent = made.agents[family]
    known = variables(context(directory, role=role), agent, made.policy, "PROMPT")
    command = build(agent, role, made.policy, known, directory / "p", None, directory / "files")
    return " ".join([*command.argv, *command.env.values(), *command.files.values()])


def test_an_unconfined_shell_is_given_only_where_the_policy_says_so(tmp_path: Path) -> None:
    shells = {
        "claude": "Bash",
        "copilot": "--allow-tool=shell",
        "gemini": 'decision = "allow"',
        "opencode": '"bash": {"*": "allow"',
        "kilocode": '"bash": {"*": "allow"',
    }
    for family, shell in shells.items():
        assert shell in argv(tmp_path, family, "none", "open", "implement"), family
        assert shell not in argv(tmp_path, family, "none", "none", "implement"), family
        assert shell not in argv(tmp_path, family, "none", "open", "review"), family
    for family, shell in {"qwen": "=run_shell_command", "pi": ",bash", "kimi": ",Bash"}.items():
        assert shell not in argv(tmp_path, family, "workspace_write", "none", "implement")
        assert shell in argv(tmp_path, family, "workspace_write", "open", "implement")
    assert "bash" not in argv(tmp_path, "vibe", "none", "open", "implement")
    sandboxed = argv(tmp_path, "claude", "workspace_write", "none", "implement")
    assert '"enabled": true, "failIfUnavailable": true' in sandboxed


def test_sessions_are_resumed_where_the_cli_has_them() -> None:
    resuming = {family for family in FAMILIES if permissive(family).resume is not None}
    assert resuming >= {"claude", "codex", "copilot", "gemini", "qwen", "opencode", "kilocode", "pi", "vibe"}
    assert all(permissive(family).output.session for family in resuming)
