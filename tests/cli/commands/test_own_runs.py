"""`status`, `report`, `plan`, `approve`: what they show is what kitty-run wrote, whatever the file says."""

from __future__ import annotations

import re
import shutil

import pytest
from kitty_run.engine.state.digest_chain import store_of
from kitty_run.engine.state.events import GateWaiting, RunEnded
from kitty_run.errors import ExitStatus

from tests.cli.project import LOST, Done, Project, forged, only

pytestmark = pytest.mark.whole

COMMANDS = [("status",), ("status", "--json"), ("status", "--watch"), ("report", "-o", "-"), ("plan",)]
Words = tuple[str, ...]
each_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def look(project: Project, words: Words) -> Done:
    """`kitty-run WORDS`, which must leave all journals as they are."""
    rest = (str(project.profile), "--mission", "demo") if words == ("plan",) else ()
    before = journals(project)
    done = project.kitty_run(*words, *rest)
    assert journals(project) == before
    return done


def journals(project: Project) -> dict[str, bytes]:
    paths = (project.root / ".kitty-run" / "runs").rglob("*.jsonl")
    return {str(path): path.read_bytes() for path in paths}


def shown(done: Done) -> tuple[str, int]:
    """Output and exit status, without the times that differ from one look to the next."""
    return re.sub(r"[0-9.]+ ?(s|min)\b|[0-9][0-9T:.+-]{4,}", "", done.out), done.status


@each_command
def test_what_a_foreign_line_claims_is_not_shown(paused: Project, words: Words) -> None:
    right = look(paused, words)
    assert right.err == ""
    place = only(paused)
    number = place.journal.read_bytes().count(b"\n") + 1
    with place.journal.open("ab") as file:
        file.write(forged(place, RunEnded(exit_status=0, reason="all is merged", seconds=1.0)))
    done = look(paused, words)
    assert f"line {number} was not written by kitty-run and not believed" in done.err
    assert shown(done) == shown(right)


@each_command
def test_what_is_changed_or_missing_is_shown_as_it_was_written(paused: Project, words: Words) -> None:
    right, place = look(paused, words), only(paused)
    journal = place.journal.read_bytes()
    for damage in LOST.values():
        damage(place)
        done = look(paused, words)
        assert f"{place.journal} is not as kitty-run wrote it" in done.err
        assert shown(done) == shown(right) or words[0] == "report", "the report has the ends of logs too"
        place.directory.mkdir(exist_ok=True)
        place.journal.unlink(missing_ok=True)
        place.journal.write_bytes(journal)


@each_command
def test_a_run_that_kitty_run_did_not_begin_is_not_shown(paused: Project, words: Words) -> None:
    right, place = look(paused, words), only(paused)
    planted = place.directory.with_name("99999999-\x1b[2Jplanted")
    shutil.copytree(place.directory, planted)
    done = look(paused, words)
    assert "planted/events.jsonl was not written by kitty-run" in done.err
    assert "\x1b" not in done.err
    assert shown(done) == shown(right)
    assert paused.kitty_run("status", planted.name).status == ExitStatus.USAGE


@each_command
def test_a_line_torn_by_a_kill_is_no_news(paused: Project, words: Words) -> None:
    journal = only(paused).journal
    journal.write_bytes(journal.read_bytes()[:-20])
    assert look(paused, words).err == ""


@each_command
def test_where_nothing_is_known_a_look_says_so(paused: Project, words: Words) -> None:
    right = look(paused, words)
    shutil.rmtree(store_of(paused.root))
    done = look(paused, words)
    assert f"{only(paused).journal} is not verified" in done.err
    assert shown(done) == shown(right)


def test_a_gate_that_only_a_foreign_line_waits_at_takes_no_answer(paused: Project) -> None:
    place = only(paused)
    with place.journal.open("ab") as file:
        file.write(forged(place, GateWaiting("accept")))
    done = paused.kitty_run("approve", "accept")
    assert done.status == ExitStatus.USAGE
    assert "not written by kitty-run" in done.err
    assert not (place.gates / "accept.json").exists()


def test_a_gate_takes_its_answer_without_the_folder_of_the_run(paused: Project) -> None:
    shutil.rmtree(only(paused).directory)
    assert paused.kitty_run("approve", "merge").status == ExitStatus.OK
    assert paused.kitty_run(str(paused.profile), "--mission", "demo").status == ExitStatus.OK
