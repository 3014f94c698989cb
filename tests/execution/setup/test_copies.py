"""What is copied into a worktree, and what never is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from kitty_run.execution.setup.copies import NotCopied, files, problems
from kitty_run.profile.workspace import WorkspaceConfig

from tests.execution.setup.desk import Desk, shell

pytestmark = pytest.mark.whole

ENV = WorkspaceConfig(copy=(".env",))


def test_a_file_is_copied_with_its_permissions_and_again_where_it_changed(desk: Desk) -> None:
    source = desk.root.write(".env", "A=1")
    source.chmod(0o600)
    assert desk.set_up(ENV)[0].copied == (".env",)
    copied = desk.tree.path / ".env"
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600
    copied.write_text("the agent's own")
    assert desk.set_up(ENV)[0].copied == ()
    assert copied.read_text() == "the agent's own"
    source.write_text("A=2")
    assert desk.set_up(ENV)[0].copied == (".env",)
    assert copied.read_text() == "A=2"
    copied.unlink()
    assert desk.set_up(ENV)[0].copied == (".env",)


def test_git_sees_no_copy_ignored_or_not(desk: Desk) -> None:
    desk.root.write(".env", "A=1")
    desk.root.write("certs/deep/a.pem", "key")
    result, _ = desk.set_up(WorkspaceConfig(copy=(".env", "certs/")))
    assert result.copied == (".env", "certs/deep/a.pem")
    assert result.left == {}
    assert desk.tree.status() == ""


def test_a_step_that_reads_a_copy_runs_again_when_that_changed(desk: Desk) -> None:
    config = WorkspaceConfig(copy=(".env",), setup=(shell("read", "cat .env", [".env"]),))
    desk.root.write(".env", "A=1")
    assert desk.ran(config) == ["read"]
    desk.root.write(".env", "A=2")
    assert desk.ran(config) == ["read"]
    assert desk.ran(config) == []


def test_what_git_tracks_is_not_copied(desk: Desk) -> None:
    result, _ = desk.set_up(WorkspaceConfig(copy=("src",)))
    assert result.refused is not None
    assert "git tracks src/app.py" in result.refused


def link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def test_no_link_leads_out_of_the_repository(desk: Desk, tmp_path: Path) -> None:
    root = desk.root.path
    secret = tmp_path / "secret"
    secret.write_text("of somebody else")
    link(root / ".env", secret)
    link(root / "folder", tmp_path)
    link(root / "git", root / ".git" / "config")
    link(root / "certs" / "inner", secret)
    link(root / "loop", root / "loop")
    for path in (".env", "folder/secret", "git", "certs", "loop", ".git/config", "../secret", "."):
        assert problems(root, [path]), path
    desk.root.write("real.env", "A=1")
    link(root / "inside", root / "real.env")
    assert list(files(root, "inside")) == ["inside"]
    with pytest.raises(NotCopied, match="is not there"):
        list(files(root, "missing"))


def test_nothing_is_written_through_a_link_in_the_worktree(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("as it was")
    desk.root.write("config/local.env", "A=1")
    desk.root.write(".env", "A=1")
    link(desk.tree.path / "config", outside)
    link(desk.tree.path / ".env", outside / "kept")
    result, _ = desk.set_up(WorkspaceConfig(copy=(".env", "config/local.env")))
    assert result.refused is not None
    assert "not copied through a link" in result.refused
    assert (outside / "kept").read_text() == "as it was"
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert not (desk.tree.path / ".env").is_symlink()
