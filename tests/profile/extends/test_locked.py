"""What a layer locks holds, wherever other layers stand: attacks on locks, and random chains."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kitty_run.cli.main import main
from kitty_run.profile.extends.locks import KEEPS_POLICY
from kitty_run.profile.load import check
from kitty_run.profile.validation.problems import Problem, ProfileInvalid
from kitty_run.profile.yaml.tree import plain

from tests.examples import examples

AGENT = {
    "command": ["a.sh"],
    "family": "a",
    "enforce": {
        "sandbox_mode": {"read_only": ["--read"], "workspace_write": []},
        "network_mode": {"none": [], "open": ["--net"]},
        "approval_mode": {"full_auto": [], "supervised": [], "interactive": []},
    },
}
BASE: dict[str, Any] = {
    "version": 1,
    "agents": {"a": AGENT, "b": {**AGENT, "family": "b"}},
    "roles": {"implement": {"agents": ["a"]}, "review": {"agents": ["b"]}},
    "policy": {"sandbox_mode": "read_only"},
    "limits": {"cost_usd": 5},
}


def write(directory: Path, **files: Mapping[str, Any]) -> None:
    for name, document in files.items():
        text = yaml.safe_dump({"version": 1, **document}, sort_keys=False)
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")


def problems(path: Path, *overrides: tuple[str, str]) -> list[str]:
    """What keeps the profile from being used, each as `FILE: POINTER`, and nothing but broken locks."""
    found: list[Problem] = []
    try:
        check(path, overrides)
    except ProfileInvalid as invalid:
        found = invalid.problems
    assert {p.message for p in found} <= {"is locked and can't be changed"}, found
    return [f"{Path(p.file).name}: {p.pointer}" for p in found]


EVIL = {"policy": {"sandbox_mode": "workspace_write"}, "limits": {"cost_usd": 50}}


@pytest.mark.parametrize("order", [["./evil.yaml", "./team.yaml"], ["./team.yaml", "./evil.yaml"]])
def test_a_sibling_before_or_after_changes_nothing_that_is_locked(tmp_path: Path, order: list[str]) -> None:
    team = {**BASE, "locked": ["/policy", "/host"]}
    evil = {"host": {"command": ["other-host"]}, "policy": {"network_mode": "open"}}
    write(tmp_path, team=team, evil=evil, profile={"extends": order})
    assert problems(tmp_path / "profile.yaml") == [
        "evil.yaml: /host/command",
        "evil.yaml: /policy/network_mode",
    ]


def test_what_a_locking_layer_leaves_unset_stays_unset(tmp_path: Path) -> None:
    write(tmp_path, team={**BASE, "locked": ["/limits"]}, profile={"extends": ["./team.yaml"], **EVIL})
    assert problems(tmp_path / "profile.yaml") == ["profile.yaml: /limits/cost_usd"]
    write(tmp_path, profile={"extends": ["./team.yaml"], "limits": {"tokens": 5}})
    assert problems(tmp_path / "profile.yaml") == ["profile.yaml: /limits/tokens"]


@pytest.mark.parametrize(
    ("pointer", "value", "broken"),
    [
        ("/policy", "null", "/policy/sandbox_mode"),
        ("/policy/sandbox_mode", "workspace_write", "/policy/sandbox_mode"),
        ("/limits", "null", "/limits/cost_usd"),
        ("/agents/a/args", "[--yes]", "/agents/a/args"),
        ("/agents/a/env", "{set: {LD_PRELOAD: x.so}}", "/agents/a/env"),
        ("/agents/a/family", "c", "/agents/a/family"),
    ],
)
def test_set_breaks_no_lock(tmp_path: Path, pointer: str, value: str, broken: str) -> None:
    team = {**BASE, "locked": ["/policy", "/limits/cost_usd"]}
    write(tmp_path, team=team, profile={"extends": ["./team.yaml"]})
    assert problems(tmp_path / "profile.yaml", (pointer, value)) == [f"--set[1]: {broken}"]


@pytest.mark.parametrize("pointer", ["/locked", "/locked/0", "/extends", "/extends/0"])
def test_keys_of_files_can_not_be_set(
    tmp_path: Path, pointer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, profile=BASE)
    assert main(["explain", str(tmp_path / "profile.yaml"), "--set", f"{pointer}=[]"]) == 2
    assert "is a key of files and can't be set" in capsys.readouterr().err


def test_the_message_shows_both_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, team={**BASE, "locked": ["/policy"]}, evil=EVIL)
    write(tmp_path, profile={"extends": ["./evil.yaml", "./team.yaml"], "policy": {"network_mode": "open"}})
    assert main(["validate", str(tmp_path / "profile.yaml")]) == 2
    said = capsys.readouterr().err
    assert "profile.yaml:6:17: /policy/network_mode: is locked and can't be changed" in said
    assert f"(locked at {tmp_path}/team.yaml:" in said
    assert "(/policy); it is set to 'none' at profiles/defaults.yaml:" in said


def test_two_layers_that_fix_different_values_contradict(tmp_path: Path) -> None:
    write(
        tmp_path, one={**BASE, "locked": ["/limits"]}, two={"limits": {"cost_usd": 9}, "locked": ["/limits"]}
    )
    write(tmp_path, profile={"extends": ["./one.yaml", "./two.yaml"]})
    assert problems(tmp_path / "profile.yaml") == ["two.yaml: /limits/cost_usd"]


@pytest.mark.parametrize("key", KEEPS_POLICY)
def test_a_lock_on_the_policy_closes_what_keeps_it(tmp_path: Path, key: str) -> None:
    changed: dict[str, Any] = {
        "family": "other",
        "command": ["sh", "-c", "a.sh"],
        "enforce": {"sandbox_mode": {"read_only": []}},
        "roles": {"implement": ["--all"]},
        "args": ["--all"],
        "env": {"set": {"PATH": "/x"}},
        "sandbox": "none",
        "home": ["projects"],
        "network": {"hosts": ["example.com"]},
        "resume": {"args": ["--all"]},
    }
    write(tmp_path, team={**BASE, "locked": ["/policy"]})
    write(tmp_path, profile={"extends": ["./team.yaml"], "agents": {"a": {key: changed[key]}}})
    found = problems(tmp_path / "profile.yaml")
    assert found
    assert all(each.startswith(f"profile.yaml: /agents/a/{key}") for each in found)


def test_a_lock_on_one_field_closes_how_it_is_kept(tmp_path: Path) -> None:
    write(tmp_path, team={**BASE, "locked": ["/policy/sandbox_mode"]})
    loose = {"enforce": {"sandbox_mode": {"read_only": []}, "network_mode": {"none": ["--x"]}}}
    agents = {"a": {"command": ["b.sh"], **loose}, "b": {"sandbox": "none"}}
    write(tmp_path, profile={"extends": ["./team.yaml"], "agents": agents})
    broken = ["profile.yaml: /agents/a/enforce/sandbox_mode/read_only", "profile.yaml: /agents/b/sandbox"]
    assert problems(tmp_path / "profile.yaml") == broken


def test_what_does_not_keep_the_policy_stays_open(tmp_path: Path) -> None:
    write(tmp_path, team={**BASE, "locked": ["/policy"]})
    agents = {"a": {"timeout": "9m"}, "mine": {**AGENT, "args": ["x"]}}
    write(tmp_path, profile={"extends": ["./team.yaml"], "agents": agents})
    assert problems(tmp_path / "profile.yaml") == []


def test_a_lock_that_names_an_agent_itself_says_what_of_it_is_closed(tmp_path: Path) -> None:
    write(tmp_path, team={**BASE, "locked": ["/policy", "/agents/a/command"]})
    agents = {"a": {"args": ["--max-turns", "9"]}, "b": {"args": ["x"]}}
    write(tmp_path, profile={"extends": ["./team.yaml"], "agents": agents})
    assert problems(tmp_path / "profile.yaml") == ["profile.yaml: /agents/b/args"]


def test_text_that_reads_as_the_same_number_is_not_the_same(tmp_path: Path) -> None:
    write(tmp_path, team=BASE)
    (tmp_path / "base.yaml").write_text(
        "version: 1\nextends: [./team.yaml]\nagents: {a: {args: [1.0]}}\nlocked: [/agents/a/args]\n", "utf-8"
    )
    (tmp_path / "profile.yaml").write_text(
        "version: 1\nextends: [./base.yaml]\nagents: {a: {args: [1.00]}}\n", encoding="utf-8"
    )
    assert problems(tmp_path / "profile.yaml") == ["profile.yaml: /agents/a/args"]


@pytest.mark.parametrize("pointer", ["/policy/sandbox", "/limit", "/gates/before/x", "/locked", "/extends/0"])
def test_a_lock_that_locks_nothing_is_an_error(
    tmp_path: Path, pointer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, profile={**BASE, "locked": [pointer]})
    assert main(["validate", str(tmp_path / "profile.yaml")]) == 2
    assert f"/locked/0: locks nothing: no profile can have '{pointer}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "pointer", ["", "/agents/any/env/set/X", "/roles/review/agents/0", "/retry/host/SOME_CODE"]
)
def test_what_a_profile_can_say_can_be_locked(tmp_path: Path, pointer: str) -> None:
    write(tmp_path, profile={**BASE, "locked": [pointer]})
    assert problems(tmp_path / "profile.yaml") == []


NAMES = ("one", "two", "three", "four")
SAID: dict[str, list[Any]] = {
    "/policy/sandbox_mode": ["read_only", "workspace_write", None],
    "/policy/network_mode": ["none", "open"],
    "/policy": [None],
    "/limits/cost_usd": [5, 9, None],
    "/limits/tokens": [100],
    "/limits": [None, {"wall_clock": "1h"}],
    "/agents/a/args": [["x"], ["y"], None],
    "/agents/a/env": [{"set": {"X": "1"}}, {"set": {"X": "2", "Y": "1"}}, None],
    "/agents/b/timeout": ["5m", "9m"],
    "/retry/agent/auth": [{"do": "pause"}, {"do": "retry", "attempts": 2}, {"do": "block"}],
    "/gates/before": [["merge"], []],
}
LOCKABLE = [*SAID, "/agents", "/retry", "/gates", "/host"]


@dataclass
class File:
    """One file of a random chain."""

    said: dict[str, Any]
    locked: list[str]
    extends: list[str] = field(default_factory=list)

    def document(self, *, locks: bool) -> dict[str, Any]:
        document: dict[str, Any] = {"extends": [f"./{name}.yaml" for name in self.extends]}
        for pointer, value in self.said.items():
            *above, last = pointer.split("/")[1:]
            node = document
            for part in above:
                node = node.setdefault(part, {})
                if node is None:
                    break
            if node is not None:
                node[last] = value
        return {**document, "locked": self.locked} if locks else document


@st.composite
def chains(draw: st.DrawFn) -> list[File]:
    files = []
    for number in range(len(NAMES)):
        pointers = draw(st.lists(st.sampled_from(sorted(SAID)), max_size=3, unique=True))
        said = {pointer: draw(st.sampled_from(SAID[pointer])) for pointer in sorted(pointers)}
        locked = draw(st.lists(st.sampled_from(LOCKABLE), max_size=2, unique=True))
        below = ["base", *NAMES[:number]]
        extends = draw(st.lists(st.sampled_from(below), min_size=1, max_size=3, unique=True))
        files.append(File(said, locked, extends))
    return files


def resolved(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", plain(check(path)[0]))


def value(document: Any, pointer: Sequence[str]) -> Any:
    for part in pointer:
        document = document.get(part) if isinstance(document, dict) else None
    return document


def closed(file: File, own: dict[str, Any]) -> list[list[str]]:
    """All that `file` locks, as the documents promise it: pointers, and with the policy the agents' keys."""
    pointers = [pointer.split("/")[1:] for pointer in file.locked]
    if ["agents"] in pointers:
        return pointers
    named = {pointer[1] for pointer in pointers if pointer[0] == "agents"}
    keys = [[key] for key in KEEPS_POLICY] if ["policy"] in pointers else []
    for axis in ("sandbox_mode", "network_mode"):
        keys += [["enforce", axis], ["sandbox"]] if ["policy", axis] in pointers else []
    return pointers + [["agents", a, *key] for a in own["agents"] for key in keys if a not in named]


@pytest.mark.whole
@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_a_chain_is_refused_just_where_a_resolved_value_differs_from_what_a_lock_fixed(
    files: list[File],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        open_files = {each: file.document(locks=False) for each, file in zip(NAMES, files, strict=True)}
        write(directory, base=BASE, **open_files)
        final = resolved(directory / "four.yaml")
        used, rest = set[str](), ["four"]
        while rest:
            used.add(each := rest.pop())
            rest += [] if each == "base" else files[NAMES.index(each)].extends
        differs = False
        for each in used - {"base"}:
            own = resolved(directory / f"{each}.yaml")
            pointers = closed(files[NAMES.index(each)], own)
            differs |= any(repr(value(own, p)) != repr(value(final, p)) for p in pointers)
        write(directory, **{each: file.document(locks=True) for each, file in zip(NAMES, files, strict=True)})
        assert bool(problems(directory / "four.yaml")) == differs
