"""Every file in `tests/profiles/` is a test: `invalid/` with its messages, `valid/` with what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kitty_run.profile.extends.layers import defaults_layer
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.views.show import with_caret
from kitty_run.profile.yaml.tree import plain
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

EXAMPLES = Path(__file__).resolve().parents[1] / "profiles"
INVALID = sorted(path.name for path in (EXAMPLES / "invalid").glob("*.yaml"))
VALID = sorted(path.name for path in (EXAMPLES / "valid").glob("*.yaml"))


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_profile_is_reported_at_its_lines(
    name: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES / "invalid")
    with pytest.raises(ProfileInvalid) as caught:
        load(Path(name))
    snapshot.snapshot_dir = EXAMPLES / "invalid" / "messages"
    text = "".join(map(with_caret, caught.value.problems))
    snapshot.assert_match(text, name.replace(".yaml", ".txt"))


@pytest.mark.parametrize("name", VALID)
def test_a_valid_profile_resolves(name: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES / "valid")
    document = load(Path(name)).document()
    snapshot.snapshot_dir = EXAMPLES / "valid" / "resolved"
    text = yaml.safe_dump(_without_defaults(document), sort_keys=True, allow_unicode=True, width=100)
    snapshot.assert_match(text, name)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_profile_is_warned_of_what_it_does_not_mean(
    name: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES / "valid")
    text = "".join(map(with_caret, load(Path(name)).warnings))
    snapshot.snapshot_dir = EXAMPLES / "valid" / "warnings"
    expected = name.replace(".yaml", ".txt")
    if text or (snapshot.snapshot_dir / expected).exists():
        snapshot.assert_match(text, expected)


@pytest.mark.parametrize("name", VALID)
def test_a_resolved_profile_loads_as_the_same(name: str, tmp_path: Path) -> None:
    first = load(EXAMPLES / "valid" / name)
    again = tmp_path / name
    again.write_text(yaml.safe_dump(first.document(), allow_unicode=True), encoding="utf-8")
    second = load(again)
    assert second.profile.digest == first.profile.digest
    assert second.document() == first.document()


def _without_defaults(document: dict[str, object]) -> dict[str, object]:
    """`document` without the sections that are as they ship, which would be the same in every snapshot."""
    shipped = plain(defaults_layer().root)
    assert isinstance(shipped, dict)
    return {key: value for key, value in document.items() if value != shipped.get(key)}
