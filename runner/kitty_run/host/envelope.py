"""A reply's text to the envelope in it: the last line of standard output that is one.

The hosts print other lines before it (merges: `Deleted branch …`, `Warning: …`), and a host that crashed
prints none at all. Standard error is for people and never decides anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from packaging.version import InvalidVersion, Version

from kitty_run.host.model import HostRefused
from kitty_run.host.transport.start import RawReply

TIMEOUT = "HOST_TIMEOUT"
UNREADABLE = "HOST_UNREADABLE"
COMMAND_FAILED = "COMMAND_FAILED"
USAGE_STATUS = 2
"""Exit status of a host that does not understand the command line (all generations)."""

_SHOWN_LINES = 3
_SHOWN_CHARACTERS = 600
_MESSAGE_CHARACTERS = 4000
"""Characters of a host's own message that are kept: it is printed, and written to the journal."""

Json = Mapping[str, object]


def data_of(reply: RawReply, operation: str) -> Json:
    """The `data` object of a successful envelope.

    Raises `HostRefused` with the envelope's `error_code`, with `HOST_TIMEOUT` where the time limit ended
    the call, and with `HOST_UNREADABLE` where there is no envelope or it contradicts the exit status.
    """
    envelope = _answer(reply, operation, envelope_of(reply.stdout))
    data = envelope.get("data")
    fields = cast("Json", data) if isinstance(data, dict) else {}
    if envelope["success"] is False:
        raise _refusal(envelope.get("error_code"), operation, fields, reply)
    if reply.status != 0:
        raise _unreadable(operation, f"it reported success, but ended with {_ending(reply)}", reply)
    return fields


def object_of(reply: RawReply, operation: str) -> Json:
    """The JSON object printed by a command outside the orchestrator API, one line or pretty-printed.

    Those commands have no envelope: exit status 0 is success, anything else is `COMMAND_FAILED` with what
    the object says, or `HOST_UNREADABLE` where there is no JSON.
    """
    found = _answer(reply, operation, _last_object(reply.stdout))
    if reply.status == 0:
        return found
    words = f"{operation}: {_ending(reply)}: {_message(found)}"
    raise HostRefused(COMMAND_FAILED, operation, words[:_SHOWN_CHARACTERS], found)


def envelope_of(stdout: str) -> Json | None:
    """The last line of `stdout` that is a JSON object with an envelope's fields; None if there is none."""
    for line in reversed(stdout.split("\n")):
        found = _load(line.strip())
        if found is not None and isinstance(found.get("success"), bool) and "command" in found:
            return found
    return None


def contract_of(reply: RawReply) -> str | None:
    """The contract version that an envelope says it keeps; None where it says none."""
    said = (envelope_of(reply.stdout) or {}).get("contract_version")
    try:
        return str(Version(said)) if isinstance(said, str) else None
    except InvalidVersion:
        return None


def not_understood(reply: RawReply) -> bool:
    """Whether the host rejected the command line itself: exit status 2, with or without an envelope."""
    return reply.status == USAGE_STATUS


def _answer(reply: RawReply, operation: str, found: Json | None) -> Json:
    if reply.status is None:
        message = f"{operation}: the host gave no reply within {reply.seconds:.0f} s"
        raise HostRefused(TIMEOUT, operation, message, {})
    if found is None:
        raise _unreadable(operation, f"the host printed no JSON and ended with {_ending(reply)}", reply)
    return found


def _refusal(code: object, operation: str, data: Json, reply: RawReply) -> HostRefused:
    if not isinstance(code, str) or not code:
        return _unreadable(operation, "it reported a failure without an error_code", reply)
    code = code[:_SHOWN_CHARACTERS]
    return HostRefused(code, operation, f"{operation}: {code}: {_message(data) or 'no details'}", data)


def _message(data: Json) -> str:
    """The host's words, cut."""
    words = _whole_message(data)
    cut = len(words) - _MESSAGE_CHARACTERS
    return f"{words[:_MESSAGE_CHARACTERS]} … ({cut} more characters)" if cut > 0 else words


def _whole_message(data: Json) -> str:
    """What the host says in words: 1.0 drops `message` beside structured data, merges fill `errors`."""
    errors = data.get("errors")
    if isinstance(errors, list) and errors:
        return "; ".join(str(error) for error in errors)
    for key in ("message", "error"):
        if data.get(key):
            return str(data[key])
    return ", ".join(f"{key}: {value}" for key, value in data.items())


def _unreadable(operation: str, what: str, reply: RawReply) -> HostRefused:
    return HostRefused(UNREADABLE, operation, f"{operation}: {what}: {last_words(reply)}", {})


def last_words(reply: RawReply) -> str:
    """The last lines of what a call printed, as they are quoted."""
    lines = [line.strip("│╭╰─╮╯ \t") for line in (reply.stderr or reply.stdout).splitlines()]
    shown = [line for line in lines if line][-_SHOWN_LINES:]
    return " / ".join(shown)[-_SHOWN_CHARACTERS:] or "it said nothing"


def _ending(reply: RawReply) -> str:
    status = reply.status or 0
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _last_object(stdout: str) -> Json | None:
    whole = _load(stdout.strip())
    if whole is not None:
        return whole
    lines = stdout.split("\n")
    for start in range(len(lines) - 1, -1, -1):
        if lines[start].startswith("{"):
            found = _load("\n".join(lines[start:]))
            if found is not None:
                return found
    return None


def _load(text: str) -> Json | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("Json", found) if isinstance(found, dict) else None
