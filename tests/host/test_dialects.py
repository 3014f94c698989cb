"""The dialects that ship: valid, complete, without force; and a new one is a new file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from kitty_run.errors import UsageError
from kitty_run.host.dialect import Dialect, Refused
from kitty_run.host.dialect_files import dialects_dir, load, load_all, named
from kitty_run.host.model import Lane
from kitty_run.host.template import render
from pytest_snapshot.plugin import Snapshot

from tests.host.placeholders import placeholders

FILES = sorted(dialects_dir().glob("*.yaml"))
SUPPORTED = [found for found in load_all() if isinstance(found, Dialect)]

VALUES = {
    "mission": "034-demo",
    "wp": "WP02",
    "actor": "kitty-run",
    "policy": '{"orchestrator_id": "kitty-run"}',
    "reviewer": "codex",
    "verdict": "approved",
    "reference": "review/WP02/1",
    "lane": "in_review",
    "text": "a note",
    "subtasks": ["T001", "T002"],
    "target": "main",
    "strategy": "merge",
    "push": True,
    "origin_check": "warn",
    "criterion": "FR-001",
    "result": "pass",
    "evidence": "WP02 at 0123456789: a test",
}
BARE = {**VALUES, "lane": "in_progress", "target": None, "push": False, "origin_check": None}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_dialect_loads(path: Path) -> None:
    assert load(path).name == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_dialect_knows_force(path: Path) -> None:
    assert "--force" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", SUPPORTED, ids=lambda dialect: dialect.name)
def test_the_command_line_of_every_step(dialect: Dialect, snapshot: Snapshot) -> None:
    lines = []
    for name, operation in dialect.operations.items():
        if operation is None:
            lines.append(f"{name}: none")
            continue
        for values in (VALUES, BARE):
            argv = render(operation.argv, values)
            assert not any("force" in argument for argument in argv)
            lines.append(f"{name}: {json.dumps(argv)}")
    snapshot.snapshot_dir = Path(__file__).with_name("snapshots")
    snapshot.assert_match("\n".join(dict.fromkeys(lines)) + "\n", f"argv.{dialect.name}.txt")


@pytest.mark.parametrize("dialect", SUPPORTED, ids=lambda dialect: dialect.name)
def test_every_step_asks_only_for_what_the_client_gives(dialect: Dialect) -> None:
    operations = [operation for operation in dialect.operations.values() if operation]
    assert placeholders([item for operation in operations for item in operation.argv]) <= set(VALUES)


@pytest.mark.parametrize("dialect", SUPPORTED, ids=lambda dialect: dialect.name)
def test_every_mutating_step_carries_the_actor(dialect: Dialect) -> None:
    without = {"state", "ready", "locate", "merge", "tick"}  # commands that take none
    for name, operation in dialect.operations.items():
        if operation and name not in without:
            assert "{actor}" in operation.argv, name


@pytest.mark.parametrize("dialect", SUPPORTED, ids=lambda dialect: dialect.name)
def test_a_dialect_can_locate_a_workspace_somehow(dialect: Dialect) -> None:
    assert (dialect.operations["locate"] is None) == (dialect.convention is not None)


def test_the_generations_do_not_overlap() -> None:
    probes = [found.probe for found in load_all()]
    assert len({(found.contract, found.probe) for found in load_all()}) == len(probes)


def test_a_new_generation_is_a_new_file(tmp_path: Path) -> None:
    text = (dialects_dir() / "mission.yaml").read_text(encoding="utf-8")
    (tmp_path / "next.yaml").write_text(
        text.replace("name: mission\n", "name: next\n").replace(
            "satisfied_by: [approved, done]", "satisfied_by: [done]"
        )
    )
    added = load(tmp_path / "next.yaml")
    assert isinstance(added, Dialect)
    assert Lane.APPROVED not in added.traits.satisfied_by


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("operations", "state"), None, "/operations/state"),
        (("operations", "claim", "argv"), ["transition", "--force"], "/operations/claim/argv/1"),
        (("traits", "finished"), ["finished"], "'finished' is not one of"),
        (("name",), "other", "/name: must be the file's name"),
        (("colour",), "red", "'colour' was unexpected"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(
    tmp_path: Path, path: tuple[str, ...], value: object, complaint: str
) -> None:
    document = yaml.safe_load((dialects_dir() / "mission.yaml").read_text(encoding="utf-8"))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    wrong = tmp_path / "mission.yaml"
    wrong.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(wrong)
    assert str(wrong) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "\x00"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"x\.yaml"):
        load(tmp_path / "x.yaml")


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="feature, mission, mission-4"):
        named("missoin")


def test_refused_generations_say_what_to_install() -> None:
    refused = [found for found in load_all() if isinstance(found, Refused)]
    assert len(refused) == 4
    assert all("pip install" in found.install and found.because for found in refused)


@pytest.mark.parametrize(
    ("dialect", "meta", "name", "commit_status", "accept"),
    [
        ("mission", {"topology": "lanes"}, "lanes", True, "before"),
        ("mission", {"topology": "single_branch"}, "single_branch", True, "before"),
        ("mission", {"topology": "coord", "coordination_branch": "k"}, "coord", False, "around"),
        ("mission", {"topology": "lanes_with_coord"}, "lanes_with_coord", False, "around"),
        ("mission", {"coordination_branch": "kitty/mission-x"}, "coord", False, "around"),
        ("mission", {"coordination_branch": None}, "flat", True, "before"),
        ("mission", None, "flat", True, "before"),
        ("mission-4", {"topology": "lanes"}, "lanes", True, "before"),
        ("mission-4", {"topology": "coord"}, "coord", True, "before"),
        ("feature", {"target_branch": "main"}, "flat", True, "before"),
    ],
)
def test_the_topology_decides_what_is_committed_before_a_merge(  # noqa: PLR0917
    tmp_path: Path, dialect: str, meta: object, name: str, commit_status: bool, accept: str
) -> None:
    directory = tmp_path / "kitty-specs" / "demo"
    directory.mkdir(parents=True)
    if meta is not None:
        (directory / "meta.json").write_text(json.dumps(meta))
    found = named(dialect).topology(tmp_path, "demo")
    assert (found.name, found.commit_status, found.accept) == (name, commit_status, accept)
    assert found.status_at == (".worktrees/{mission}-coord" if "coord" in name else None)


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_an_unreadable_meta_file_is_the_plainest_topology(tmp_path: Path, text: str) -> None:
    directory = tmp_path / "kitty-specs" / "demo"
    directory.mkdir(parents=True)
    (directory / "meta.json").write_bytes(text.encode("latin-1"))
    assert named("mission").topology(tmp_path, "demo").name == "flat"
