"""The runner's own state: private, never the repository's to bring, and only believed where it is its own."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kitty_run.engine.state.digest_chain import store_of
from kitty_run.engine.state.events import Notice, RunEnded
from kitty_run.engine.state.journal import Journal, read
from kitty_run.engine.state.repository_lock import RepositoryBusy, repository_lock
from kitty_run.engine.state.run_directory import runs
from kitty_run.errors import ExitStatus
from kitty_run.machine import MachineFault

from tests.cli.project import LOST, Done, Project, forged, make, only

pytestmark = pytest.mark.whole


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path / "repo", gates=("merge",))


def run(project: Project) -> Done:
    return project.kitty_run(str(project.profile), "--mission", "demo")


def notices(project: Project) -> str:
    events = (entry.event for place in runs(project.root) for entry in read(place.journal))
    return "\n".join(event.text for event in events if isinstance(event, Notice))


def test_a_forged_end_of_the_run_is_reported_and_not_believed(paused: Project) -> None:
    place = only(paused)
    end = forged(place, RunEnded(exit_status=0, reason="", seconds=1.0))
    with place.journal.open("ab") as file:
        file.write(end)
    run(paused)
    assert [one.id for one in runs(paused.root)] == [place.id], "the same run continues"
    assert end not in place.journal.read_bytes()
    assert str(place.journal) in notices(paused)
    assert "not written by kitty-run and not believed" in notices(paused)


def test_a_changed_line_is_put_back(paused: Project) -> None:
    place = only(paused)
    right = place.journal.read_bytes()
    place.journal.write_bytes(right.replace(b'"attempt": 1', b'"attempt": 0'))
    run(paused)
    assert place.journal.read_bytes().startswith(right)
    assert "was changed" in notices(paused)


def test_an_agent_that_no_journal_knows_of_is_ended_first(project: Project) -> None:
    env = {**os.environ, "KITTY_RUN_ATTEMPT": "lost/WP01/implement-1"}
    env["KITTY_WORKSPACE"] = str(project.root / ".worktrees" / "WP01")
    elsewhere = {**env, "KITTY_RUN_ATTEMPT": "x/WP01/1", "KITTY_WORKSPACE": str(project.root.parent / "x")}
    argv = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(argv, env=env, stdin=subprocess.PIPE) as left,
        subprocess.Popen(argv, env=elsewhere, stdin=subprocess.PIPE) as other,
    ):
        try:
            run(project)
            assert "ended 1 process(es)" in notices(project)
            assert left.wait() == -signal.SIGTERM
            assert other.poll() is None
        finally:
            left.kill()
            other.kill()


@pytest.mark.parametrize("kind", [kind for kind in LOST if kind != "linked"])
def test_what_was_spent_is_known_after_damage(paused: Project, kind: str) -> None:
    place = only(paused)
    right = place.journal.read_bytes()
    LOST[kind](place)
    run(paused)
    assert place.journal.read_bytes().startswith(right)
    assert "missing and put back" in notices(paused)


def test_a_line_torn_by_a_kill_is_put_right_without_a_word(paused: Project) -> None:
    place = only(paused)
    right = place.journal.read_bytes()
    place.journal.write_bytes(right[:-20])
    run(paused)
    assert place.journal.read_bytes().startswith(right)
    assert notices(paused) == ""


def test_a_run_that_the_runner_did_not_begin_is_not_continued(paused: Project) -> None:
    place = only(paused)
    planted = place.directory.with_name("99999999-000000-planted")
    shutil.copytree(place.directory, planted)
    run(paused)
    assert not (planted / "events.jsonl").exists()
    assert str(planted) in notices(paused)


def test_runs_of_before_are_read_and_reported_once(paused: Project) -> None:
    shutil.rmtree(store_of(paused.root))
    run(paused)
    assert notices(paused).count("unverified") == 1
    run(paused)
    assert notices(paused).count("unverified") == 1
    assert len(runs(paused.root)) == 1


def test_without_a_state_directory_it_continues_and_says_so(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert run(project).status == ExitStatus.PAUSED
    assert "the journal is not verified" in notices(project)


def test_what_git_tracks_is_refused(project: Project) -> None:
    planted = project.root / ".kitty-run" / "runs" / "x" / "events.jsonl"
    planted.parent.mkdir(parents=True)
    planted.write_text("")
    subprocess.run(["git", "add", "-f", "."], cwd=project.root, check=True)
    done = run(project)
    assert done.status == ExitStatus.USAGE
    assert "git tracks .kitty-run/runs/x/events.jsonl" in done.err
    assert "rm -r -q --cached" in done.err


@pytest.mark.parametrize("part", ["", "lock", "runs", "runs/RUN", "runs/RUN/events.jsonl", "runs/RUN/gates"])
def test_a_link_is_refused_and_not_followed(paused: Project, tmp_path: Path, part: str) -> None:
    path = paused.root / ".kitty-run" / part.replace("RUN", only(paused).id)
    outside = tmp_path / "outside"
    if path.exists():
        path.rename(outside)
    path.symlink_to(outside)
    there = {file: file.read_bytes() for file in outside.rglob("*") if file.is_file()}
    done = run(paused)
    assert done.status == ExitStatus.USAGE
    assert f"{path} is a link" in done.err
    assert there == {file: file.read_bytes() for file in outside.rglob("*") if file.is_file()}


def test_an_answer_that_is_a_link_is_refused(paused: Project, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"approved": True, "by": "agent"}))
    gates = only(paused).gates
    gates.mkdir(exist_ok=True)
    (gates / "merge.json").symlink_to(answer)
    assert run(paused).status == ExitStatus.USAGE


def test_everything_is_private_whatever_the_umask(project: Project) -> None:
    before = os.umask(0)
    try:
        run(project)
    finally:
        os.umask(before)
    agents = only(project).directory / "verdicts"
    assert [path for path in open_to_others(project.root / ".kitty-run") if agents not in path.parents] == []
    assert open_to_others(store_of(project.root)) == []


def open_to_others(folder: Path) -> list[Path]:
    everything = [folder, *folder.rglob("*")]
    return [path for path in everything if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_what_others_could_write_is_made_private_and_reported(paused: Project) -> None:
    only(paused).journal.chmod(0o666)
    (paused.root / ".kitty-run").chmod(0o777)
    run(paused)
    assert open_to_others(paused.root / ".kitty-run") == []
    assert "made private" in notices(paused)


@pytest.mark.parametrize(
    "attack", [Path.unlink, lambda path: path.write_text("")], ids=["removed", "emptied"]
)
def test_a_lost_lock_file_lets_no_second_runner_in(tmp_path: Path, attack: Callable[[Path], object]) -> None:
    lock = tmp_path / ".kitty-run" / "lock"
    with repository_lock(lock, "one"):
        attack(lock)
        with pytest.raises(RepositoryBusy), repository_lock(lock, "two"):
            pass


def test_a_replaced_directory_lets_no_second_runner_in(tmp_path: Path) -> None:
    lock = tmp_path / ".kitty-run" / "lock"
    with repository_lock(lock, "one"):
        lock.parent.rename(tmp_path / "elsewhere")
        with pytest.raises(RepositoryBusy), repository_lock(lock, "two"):
            pass


def test_a_full_disk_pauses_and_names_file_and_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.open()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(
        MachineFault, match=r"events\.jsonl can't be written: No space left .*file system /"
    ) as told:
        journal.write(Notice("x"))
    assert told.value.exit_status == ExitStatus.PAUSED
