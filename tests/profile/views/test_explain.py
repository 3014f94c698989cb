"""Every value of the resolved profile is shown with where it came from, and can be read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.errors import UsageError
from kitty_run.profile.load import Loaded, load
from kitty_run.profile.views.explain import as_yaml, history, history_record, history_text, values
from kitty_run.profile.yaml.position import Source
from kitty_run.profile.yaml.reader import read_document
from kitty_run.profile.yaml.tree import plain

VALID = Path(__file__).resolve().parents[2] / "profiles" / "valid"
NAMES = sorted(path.name for path in VALID.glob("*.yaml"))

CHAIN = {
    "base.yaml": """
version: 1
policy: {approval_mode: full_auto, sandbox_mode: workspace_write, network_mode: none}
agents:
  a:
    command: [./a.sh]
    enforce:
      sandbox_mode: {workspace_write: []}
      network_mode: {none: [], open: []}
      approval_mode: {full_auto: []}
roles: {implement: {agents: [a]}, review: {agents: [a]}}
limits: {cost_usd: 5}
""",
    "team.yaml": "extends: [base.yaml]\npolicy:\n  network_mode: open\nlimits: null\n",
    "mine.yaml": "extends: [team.yaml]\npolicy:\n  network_mode: none\n",
}


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    for name, text in CHAIN.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return load(Path("mine.yaml"), [("/host/start", "cold")])


@pytest.mark.parametrize("name", NAMES)
def test_the_explained_profile_is_yaml_that_says_the_same(name: str) -> None:
    loaded = load(VALID / name)
    root, problems = read_document(Source("explained.yaml", as_yaml(loaded)))
    assert not problems
    assert root is not None
    assert plain(root) == plain(loaded.resolved)


def test_each_value_has_its_file_and_line(loaded: Loaded) -> None:
    lines = as_yaml(loaded).splitlines()
    assert any(line.split() == ["network_mode:", "none", "#", "mine.yaml:3"] for line in lines)
    assert any(line.split() == ["sandbox_mode:", "workspace_write", "#", "base.yaml:3"] for line in lines)
    assert any(line.split() == ["start:", "cold", "#", "--set[1]:1"] for line in lines)
    assert any(line.split() == ["actor:", "kitty-run", "#", "profiles/defaults.yaml:7"] for line in lines)


def test_values_have_pointer_and_place_for_programs(loaded: Loaded) -> None:
    found = {value["pointer"]: value for value in values(loaded)}
    assert found["/policy/network_mode"] == {
        "pointer": "/policy/network_mode",
        "value": "none",
        "file": "mine.yaml",
        "line": 3,
        "column": 17,
    }


def test_one_value_is_followed_through_the_chain(loaded: Loaded) -> None:
    steps = history(loaded, "/policy/network_mode")
    assert [(str(step.place), step.value) for step in steps] == [
        ("profiles/defaults.yaml:18", "none"),
        ("base.yaml:3", "none"),
        ("team.yaml:3", "open"),
        ("mine.yaml:3", "none"),
    ]
    text = history_text("/policy/network_mode", loaded, steps)
    assert text.startswith("/policy/network_mode: none\n")
    assert text.endswith('mine.yaml:3                "none"   <- holds\n')


def test_a_removed_value_says_who_removed_it(loaded: Loaded) -> None:
    steps = history(loaded, "/limits/cost_usd")
    assert [(str(step.place), step.value, step.removed) for step in steps] == [
        ("base.yaml:12", 5, False),
        ("team.yaml:4", None, True),
    ]
    assert history_text("/limits/cost_usd", loaded, steps).startswith("/limits/cost_usd: not set\n")
    assert history_record("/limits/cost_usd", loaded, steps)["value"] is None


def test_a_value_that_nobody_sets_shows_its_default(loaded: Loaded) -> None:
    text = history_text("/agents/a/timeout", loaded, history(loaded, "/agents/a/timeout"))
    assert text == '/agents/a/timeout: not set; by default "1h"\n'


@pytest.mark.parametrize(
    ("pointer", "hint"),
    [
        ("/polizy", "did you mean 'policy'"),
        ("/policy/network", "did you mean 'network_mode'"),
        ("policy", "starts with /"),
        ("/policy/network_mode/x", "has no key 'x'"),
    ],
)
def test_a_pointer_to_nothing_is_a_usage_error(loaded: Loaded, pointer: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        history(loaded, pointer)
