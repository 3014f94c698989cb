"""Whether a warm host answers as its own script does, judged by its first answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def disagreement(answers: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why the server can't replace the script, or None.

    `answers` are replies (`status` and `stdout`, or `refused`) by name: `own` is the script continuing with
    what it was started with (`--version`), `again` the same as a request, `contract` the question for the
    contract version, `probe` a command that no host has.
    """
    own, again, contract, probe = (answers[name] for name in ("own", "again", "contract", "probe"))
    for answer in (own, again, contract, probe):
        if "refused" in answer:
            return str(answer["refused"])
    if own["status"] != 0:
        return f"its own --version failed (exit status {own['status']})"
    if again["status"] != 0 or again["stdout"] != own["stdout"]:
        return "it gave two different answers to --version"
    if contract["status"] != 0 or _data(contract) is None:
        return f"its contract-version failed (exit status {contract['status']})"
    if probe["status"] == 0:
        return "it does not read the arguments of a request"
    return None


def _data(reply: Mapping[str, Any]) -> object:
    """The payload of the envelope on the last line, without its times and ids; None where there is none."""
    lines = reply["stdout"].strip().rsplit("\n", 1)
    try:
        envelope = json.loads(lines[-1])
    except ValueError:
        return None
    return envelope.get("data") if isinstance(envelope, dict) else None
