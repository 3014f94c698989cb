"""Two work packages that write the same file without depending on each other."""

from __future__ import annotations

import re

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.assertions import assert_tidy
from tests.e2e.bench import mission, wide
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, later

REMEDY = re.compile(r"(WP0\d|lane-[ab])(?: .*|[^\n]*)? merge ([^\s,;`]+)")
"""Which worktree the message sends one to, and what to merge there."""


@pytest.mark.parametrize(
    PLACE,
    [SIMULATED, *later("coord", "lanes")],
)
def test_work_that_does_not_merge_is_named_kept_and_gone_on_with(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission(wide(2), topology))
    it.plan({"WP01": ["shares"], "WP02": ["shares"]})
    ran = it.run()
    assert ran.status == 1, ran.text
    assert "shared.txt" in ran.report["reason"], ran.text
    assert "Nothing is lost" in ran.report["reason"]
    assert it.git("rev-parse", "--verify", "--quiet", "MERGE_HEAD", check=False) == ""
    assert "UU" not in it.git("status", "--porcelain")
    failing, into = REMEDY.search(ran.report["reason"]).groups()  # type: ignore[union-attr]
    (worktree,) = [path for path in it.root.glob(".worktrees/*") if path.name.endswith(failing)]
    it.git("merge", into, cwd=worktree, check=False)
    assert [*it.git("diff", "--name-only", "--diff-filter=U", cwd=worktree).splitlines()] == ["shared.txt"]
    (worktree / "shared.txt").write_text("both were here\n", encoding="utf-8")
    it.git("commit", "-q", "-a", "-m", "resolve", cwd=worktree)
    again = it.run()
    assert again.status == 0, again.text
    assert it.tree() == it.written() | {"shared.txt": b"both were here\n"}
    assert_tidy(it)
