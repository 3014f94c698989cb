"""Replies are read as the last line that is an envelope; a reply without one is a crashed host."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.host.envelope import data_of, envelope_of, object_of
from kitty_run.host.model import HostRefused
from kitty_run.host.transport.start import RawReply

from tests.host.recordings import Recording, recorded, recordings

ENVELOPE = {"command": "orchestrator-api.x", "success": True, "error_code": None, "data": {"wp_id": "WP01"}}


def reply(stdout: str, stderr: str = "", status: int | None = 0) -> RawReply:
    return RawReply(stdout, stderr, status, 1.0)


def refusal(found: RawReply) -> HostRefused:
    with pytest.raises(HostRefused) as caught:
        data_of(found, "claim")
    return caught.value


@pytest.mark.parametrize("recording", [r for r in recordings() if r.success], ids=lambda r: r.id)
def test_a_recorded_success_gives_its_data(recording: Recording) -> None:
    assert data_of(recording.reply, "any")


@pytest.mark.parametrize("recording", [r for r in recordings() if r.success is False], ids=lambda r: r.id)
def test_a_recorded_refusal_gives_its_error_code(recording: Recording) -> None:
    found = refusal(recording.reply)
    assert (found.code, found.lost) == (recording.code, False)


@pytest.mark.parametrize("recording", [r for r in recordings() if r.success is None], ids=lambda r: r.id)
def test_a_recorded_reply_without_envelope_is_unreadable(recording: Recording) -> None:
    found = refusal(recording.reply)
    assert (found.code, found.lost) == ("HOST_UNREADABLE", True)


def test_a_crashed_host_is_quoted_with_its_last_words() -> None:
    crashed = recorded("3.2.7", "transition.unknown-lane")
    assert "Unknown lane: 'nonsense'" in str(refusal(crashed))


def test_lines_before_and_after_the_envelope_do_not_matter() -> None:
    text = f"Deleted branch x (was 1).\n{json.dumps(ENVELOPE)}\nWarning: more noise {{\n"
    assert data_of(reply(text), "merge") == {"wp_id": "WP01"}


def test_of_two_envelopes_the_last_complete_one_counts() -> None:
    refused = {**ENVELOPE, "success": False, "error_code": "WP_NOT_FOUND"}
    text = f"{json.dumps(ENVELOPE)}\n{json.dumps(refused)}\n{json.dumps(ENVELOPE)[:-9]}\n"
    assert refusal(reply(text, status=1)).code == "WP_NOT_FOUND"


def test_a_line_separator_inside_the_envelope_does_not_split_it() -> None:
    envelope = {**ENVELOPE, "data": {"note": "one\u2028two"}}
    assert data_of(reply(json.dumps(envelope, ensure_ascii=False)), "x") == {"note": "one\u2028two"}


def test_other_json_than_an_envelope_is_not_taken_for_one() -> None:
    assert refusal(reply('{"success": "yes", "command": "x"}\n[1]\n{"data": {}}\n')).code == "HOST_UNREADABLE"


def test_success_with_a_failing_exit_status_is_not_believed() -> None:
    found = refusal(reply(json.dumps(ENVELOPE), "Segmentation fault", -11))
    assert found.lost
    assert "signal 11" in str(found)


def test_a_failure_without_a_code_is_unreadable() -> None:
    envelope = {**ENVELOPE, "success": False, "error_code": None}
    assert refusal(reply(json.dumps(envelope), status=1)).code == "HOST_UNREADABLE"


def test_the_time_limit_is_a_code_of_its_own_whatever_was_printed() -> None:
    found = refusal(reply(json.dumps(ENVELOPE), status=None))
    assert (found.code, found.lost) == ("HOST_TIMEOUT", True)


def test_the_message_names_what_a_merge_failed_of() -> None:
    found = refusal(recorded("3.2.7", "merge-mission.PREFLIGHT_FAILED-no-such-target"))
    assert "Target branch 'nosuch' does not exist" in str(found)


def test_structured_data_replaces_a_message_that_the_host_dropped() -> None:
    found = refusal(recorded("1.0.3", "start-implementation.other-actor-WP_ALREADY_CLAIMED"))
    assert "claimed_by: kitty-run" in str(found)


def test_the_refusal_carries_the_data() -> None:
    found = refusal(recorded("3.2.7", "start-implementation.DEPENDENCIES_NOT_SATISFIED"))
    assert found.data["unsatisfied_dependencies"] == ["WP01"]


def test_a_plain_json_command_is_read_in_one_line_or_in_many() -> None:
    marked = recorded("3.2.7", "agent-tasks-mark-status.ok")
    pretty = json.dumps(json.loads(marked.stdout), indent=2)
    noisy = replace(marked, stdout=f"Note: something\n{pretty}\n")
    assert object_of(marked, "tick") == object_of(noisy, "tick") == json.loads(marked.stdout)


def test_a_plain_json_command_that_fails_says_why() -> None:
    with pytest.raises(HostRefused, match="T999 was not found") as caught:
        object_of(reply('{"results": [{"message": "T999 was not found"}]}', status=1), "tick")
    assert caught.value.code == "COMMAND_FAILED"


@given(
    noise=st.lists(st.text(st.characters(blacklist_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
)
def test_no_noise_hides_the_envelope(noise: list[str]) -> None:
    lines = [line for line in noise if envelope_of(line) is None]
    assert envelope_of("\n".join([*lines, json.dumps(ENVELOPE), *lines])) == ENVELOPE


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert envelope_of(text) is None or '"success"' in text


def test_a_message_of_megabytes_is_cut() -> None:
    failed = {**ENVELOPE, "success": False, "error_code": "X", "data": {"message": "m" * 10_000_000}}
    assert len(str(refusal(reply(json.dumps(failed), status=1)))) < 5_000
