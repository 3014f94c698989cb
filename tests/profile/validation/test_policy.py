"""The policy that is declared is the one that agents keep, whatever agents and values a profile has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.profile.load import load
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.validation.flags import banned, bypasses, refused
from kitty_run.profile.validation.policy import check_policy
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.validation.schema import profile_schema
from kitty_run.profile.yaml.position import Source
from kitty_run.profile.yaml.reader import read_document

VALUES: dict[str, list[str]] = {
    axis: profile_schema()["properties"]["policy"]["properties"][axis]["enum"] for axis in policy_axes()
}
ENFORCE_ALL: dict[str, dict[str, list[str]]] = {
    axis: {value: [] for value in values} for axis, values in VALUES.items()
}


def profile(policy: Mapping[str, object], agent: Mapping[str, object]) -> dict[str, object]:
    return {
        "version": 1,
        "policy": policy,
        "agents": {"a": {"command": ["./a.sh"], "enforce": ENFORCE_ALL, **agent}},
        "roles": {"implement": {"agents": ["a"]}, "review": {"agents": ["a"]}},
    }


def problems(tmp_path: Path, document: dict[str, object]) -> list[tuple[str, str]]:
    path = tmp_path / "profile.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        load(path)
    except ProfileInvalid as error:
        return [(problem.pointer, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize("flag", [flag.name for flag in banned()])
@pytest.mark.parametrize("key", ["command", "args"])
def test_a_flag_that_the_host_bans_is_refused(flag: str, key: str, tmp_path: Path) -> None:
    found = problems(tmp_path, profile({}, {key: ["./a.sh", flag]}))
    assert [pointer for pointer, _ in found] == [f"/agents/a/{key}/1"]


@pytest.mark.parametrize(
    "flag", [rule for rule in bypasses() if rule.flag or rule.text], ids=lambda r: r.name
)
def test_a_bypass_must_be_declared_and_then_may_be_used(flag: object, tmp_path: Path) -> None:
    assert isinstance(flag, type(bypasses()[0]))
    family = {"family": flag.families[0]} if flag.families else {}
    agent = {**family, "args": flag.name.split(" ")}
    found = problems(tmp_path, profile({}, agent))
    assert len(found) >= 1
    assert all("isn't in `dangerous_flags`" in message for _, message in found)
    declared = [flag.name, *(rule.name for rule in bypasses() if rule.flag == flag.flag)]
    assert problems(tmp_path, profile({"dangerous_flags": sorted(set(declared))}, agent)) == []


@pytest.mark.parametrize("axis", sorted(VALUES))
def test_each_value_that_enforce_does_not_list_is_refused(axis: str, tmp_path: Path) -> None:
    for value in VALUES[axis]:
        table = {**ENFORCE_ALL, axis: {other: [] for other in VALUES[axis] if other != value}}
        found = problems(tmp_path, profile({axis: value}, {"enforce": table}))
        assert [pointer for pointer, _ in found] == [f"/policy/{axis}"]


@given(
    st.text(alphabet="abktoenKTOEN.-sxy", min_size=1, max_size=12)
    | st.sampled_from(["monkey-runner", "Tokenizer", "SECRETARY", "no Credentials", "keel", "tok-en"])
)
def test_a_policy_text_is_refused_exactly_where_the_host_would(text: str) -> None:
    words = ("token", "secret", "key", "password", "credential")
    root, _ = read_document(Source("p.yaml", yaml.safe_dump({"policy": {"orchestrator_id": text}})))
    assert root is not None
    assert bool(list(check_policy(root))) == any(word in text.lower() for word in words)


@pytest.mark.parametrize(
    ("argv", "family", "declared", "flag"),
    [
        (["a", "--yolo"], "x", ["--yolo"], "--yolo"),
        (["a", "--full-auto=1"], "x", [], "--full-auto"),
        (["a", "--permission-mode", "bypassPermissions"], "x", [], "--permission-mode bypassPermissions"),
        (["a", "--permission-mode=bypassPermissions"], "x", [], "--permission-mode bypassPermissions"),
        (["a", "--permission-mode", "bypassPermissions"], "x", ["--permission-mode"], None),
        (["a", "--permission-mode", "plan"], "x", [], None),
        (["a", "-y"], "gemini", [], "-y"),
        (["a", "-y"], "claude", [], None),
        (["a", "Never pass --yolo to anything."], "x", [], None),
    ],
)
def test_an_argv_is_refused_by_the_same_rules_when_it_is_complete(
    argv: list[str], family: str, declared: list[str], flag: str | None
) -> None:
    assert refused(argv, {family}, declared) == flag
