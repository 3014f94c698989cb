"""Each file of `tests/profiles/tricks/` tries to have an agent keep less than the policy says, unseen.

It is refused, or what it touches is declared only, with the line that does it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from kitty_run.profile.load import load
from kitty_run.profile.trust.degree import Degree
from kitty_run.profile.validation.problems import ProfileInvalid
from kitty_run.profile.views.show import with_caret
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

TRICKS = Path(__file__).resolve().parents[2] / "profiles" / "tricks"
NAMES = sorted(path.name for path in TRICKS.glob("*.yaml"))


def seen(name: str) -> str:
    """What is said of the profile: what it is refused for, or what lowers its agents' degree."""
    try:
        loaded = load(Path(name))
    except ProfileInvalid as error:
        return "refused\n" + "".join(map(with_caret, error.problems))
    lowest = min((one.degree for one in loaded.trust.values()), key=lambda degree: degree.height)
    return f"{lowest}\n" + "".join(map(with_caret, loaded.notes))


@pytest.mark.parametrize("name", NAMES)
def test_a_trick_is_refused_or_only_declared(
    name: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TRICKS)
    outcome = seen(name)
    assert outcome.split("\n", 1)[0] in {"refused", Degree.DECLARED}
    assert f"\n{name}:" in outcome, "it names no line of the file"
    snapshot.snapshot_dir = TRICKS / "outcomes"
    snapshot.assert_match(outcome, name.replace(".yaml", ".txt"))


def test_there_are_tricks_of_every_kind() -> None:
    assert len(NAMES) >= 45
