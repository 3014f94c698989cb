"""What holds after every mission that a bench runs."""

from __future__ import annotations

from collections import Counter

from tests.e2e.bench import MUTATING, Bench


def assert_no_force(it: Bench) -> None:
    texts = it.git("log", "--all", "-p", "--", "kitty-specs")
    texts += "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in it.root.rglob("status.events.jsonl")
    )
    assert "status.events" in texts or it.project_is_feature
    assert '"force": true' not in texts
    assert '"force":true' not in texts
    assert "--force" not in texts


def assert_few_calls(it: Bench) -> None:
    calls = it.events("call.ended")
    per_wp = Counter(
        call["wp"] for call in calls if call["operation"] in MUTATING and call["operation"] != "tick"
    )
    usual = 3 if it.project_is_feature else 4
    assert [per_wp[wp] for wp in ("WP01", "WP03", "WP04")] == [usual] * 3
    reads = [
        call["operation"] for call in calls if call["operation"] in {"state", "ready", "locate", "contract"}
    ]
    waves = 3
    assert len(reads) <= waves + 3, reads


def assert_tidy(it: Bench) -> None:
    """The root on its branch and clean but for what hosts leave there; no worktree or branch of a WP left."""
    assert it.git("branch", "--show-current") == it.project.branch
    assert it.events("git.restored") == [], "what a host's own git writes was put back"
    status = it.git("status", "--porcelain", "--untracked-files=all").splitlines()
    left = [line for line in status if ".kittify/" not in line and "kitty-specs/" not in line]
    assert left == []
    trees = [
        line
        for line in it.git("worktree", "list", "--porcelain").splitlines()
        if line.startswith("worktree ")
    ]
    assert [line for line in trees[1:] if not line.endswith("-coord")] == []
    assert [
        name
        for name in it.git("branch", "--format=%(refname:short)").splitlines()
        if "WP0" in name or "lane" in name
    ] == []
