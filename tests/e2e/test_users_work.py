"""A user's own work at the root checkout lives through a run."""

from __future__ import annotations

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, later

PAIR = {"WP01": (), "WP02": ("WP01",)}
CHANGED = "changed, and not staged\n"


def begin_own_work(it: Bench) -> None:
    """A stash, a staged and an unstaged change, and an untracked file."""
    (it.root / "README.md").write_text("stashed\n", encoding="utf-8")
    it.git("stash", "-q")
    (it.root / "staged.txt").write_text("staged\n", encoding="utf-8")
    it.git("add", "staged.txt")
    (it.root / "base.txt").write_text(CHANGED, encoding="utf-8")
    (it.root / "notes.txt").write_text("untracked\n", encoding="utf-8")


def assert_own_work(it: Bench) -> None:
    assert it.git("diff", "--cached", "--name-only", "--", ":!kitty-specs").splitlines() == ["staged.txt"]
    assert it.git("diff", "--name-only", "--", ":!kitty-specs").splitlines() == ["base.txt"]
    assert (it.root / "base.txt").read_text(encoding="utf-8") == CHANGED
    assert (it.root / "notes.txt").read_text(encoding="utf-8") == "untracked\n"
    assert it.git("show", "stash@{0}:README.md") == "stashed"


@pytest.mark.parametrize(
    PLACE,
    [SIMULATED, *later("coord", "lanes")],
)
def test_it_stays_and_the_merge_waits_where_the_host_wants_a_clean_root(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(PAIR, topology))
    begin_own_work(it)
    ran = it.run()
    assert ran.status == 1, ran.text
    assert_own_work(it)
    assert "base.txt" in ran.report["reason"], ran.text
    assert "Commit or stash" in ran.report["reason"]
    it.git("commit", "-q", "-m", "my own work", "--", "base.txt", "staged.txt")
    again = it.run()
    assert again.status == 0, again.text
    assert it.git("show", "HEAD:base.txt") + "\n" == CHANGED
    assert it.git("show", "HEAD:staged.txt") == "staged"
    assert (it.root / "notes.txt").read_text(encoding="utf-8") == "untracked\n"
