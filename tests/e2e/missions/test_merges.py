"""Merging on real hosts: the target's own work survives, and a push that was refused is no success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.assertions import assert_no_force
from tests.e2e.bench import Bench, mission, wide
from tests.e2e.conftest import MakeBench
from tests.hosts import FEATURE_HOST, MISSION_HOST

pytestmark = pytest.mark.real_host

HOOK = "#!/bin/sh\necho 'protected branch: use a pull request' >&2\nexit 1\n"


def remote_of(it: Bench) -> Path:
    """A bare remote `origin` that has the project's branch."""
    path = it.room / "remote.git"
    it.git("init", "-q", "--bare", str(path))
    it.git("remote", "add", "origin", str(path))
    it.git("push", "-q", "-u", "origin", it.project.branch)
    return path


def somebody_pushes(it: Bench, remote: Path) -> None:
    clone = it.room / "clone"
    it.git("clone", "-q", "-b", it.project.branch, str(remote), str(clone))
    (clone / "theirs.txt").write_text("somebody else's\n", encoding="utf-8")
    it.git("add", "--all", cwd=clone)
    it.git("commit", "-q", "-m", "somebody else", cwd=clone)
    it.git("push", "-q", cwd=clone)


@pytest.mark.parametrize(
    ("version", "strategy"),
    [
        pytest.param(FEATURE_HOST, "merge", marks=pytest.mark.slow),
        (MISSION_HOST, "squash"),
        pytest.param(MISSION_HOST, "rebase", marks=pytest.mark.slow),
    ],
)
def test_a_hotfix_survives_and_a_refused_push_is_repeated_by_running_again(
    bench: MakeBench, version: str, strategy: str
) -> None:
    it = bench(version, mission(wide(2), None if version == FEATURE_HOST else "lanes"))
    remote = remote_of(it)
    it.profile["finish"] = {"merge": {"strategy": strategy, "push": True}}
    it.plan({"WP01": ["hotfix"]})
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)
    ran = it.run()
    assert ran.status == 1, ran.text
    reason = ran.report["reason"]
    assert reason.startswith("merged here"), ran.text
    assert "not pushed to origin" in reason
    assert "protected branch: use a pull request" in reason
    assert it.tree() == it.written() | {"hotfix.txt": b"meanwhile, on the target\n"}
    assert it.git("show", f"{it.project.branch}:base.txt") == "fixed on the target"
    merged, attempts = it.git("rev-parse", it.project.branch), len(it.ledger())
    hook.unlink()
    again = it.run()
    assert again.status == 0, again.text
    assert it.git("rev-parse", it.project.branch, cwd=remote) == merged
    assert len(it.ledger()) == attempts
    assert_no_force(it)


@pytest.mark.parametrize("version", [FEATURE_HOST, pytest.param(MISSION_HOST, marks=pytest.mark.slow)])
def test_a_remote_that_moved_on_is_taken_in_as_the_message_says(bench: MakeBench, version: str) -> None:
    it = bench(version, mission(wide(2), None if version == FEATURE_HOST else "lanes"))
    remote = remote_of(it)
    it.profile["finish"] = {"merge": {"push": True}}
    it.plan({"WP01": ["slow"]})
    process = it.start()
    it.wait_for((it.room / "slow-WP01").exists, process)
    somebody_pushes(it, remote)
    (it.room / "go").touch()
    ran = it.end(process)
    assert ran.status == 1, ran.text
    if ran.report["reason"].startswith("merged here"):
        assert it.tree() == it.written()
    else:  # 1.0.3 does not merge where the remote is ahead
        assert "PREFLIGHT_FAILED" in ran.report["reason"], ran.text
    it.git("fetch", "-q", "origin")
    it.git("merge", "-q", "--no-edit", f"origin/{it.project.branch}")
    again = it.run()
    assert again.status == 0, again.text
    assert it.tree() == it.written() | {"theirs.txt": b"somebody else's\n"}
    assert it.git("rev-parse", it.project.branch, cwd=remote) == it.git("rev-parse", it.project.branch)
