"""Envelopes and usage errors, as each generation prints them."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from kitty_run.host.envelope import Json
from kitty_run.host.model import HostRefused
from kitty_run.host.sim.arguments import SimUsageError
from kitty_run.host.sim.missions import Mission
from kitty_run.host.sim.state import Answer
from kitty_run.host.sim.tables import Rules

T = TypeVar("T")


def print_answer(rules: Rules, command: str, answer: Answer) -> int:
    """Print the envelope of `answer`; the exit status."""
    print(envelope_text(rules, command, answer))  # noqa: T201
    return 0 if answer.code is None else 1


def envelope_text(rules: Rules, command: str, answer: Answer) -> str:
    """The envelope of `answer`, one line of JSON."""
    data: dict[str, object] = dict(answer.data)
    if answer.code and answer.message and (rules.message_with_data or not data):
        data["message"] = answer.message
    envelope = {
        "contract_version": rules.contract,
        "command": f"orchestrator-api.{command}",
        "timestamp": datetime.now(UTC).isoformat(),
        "correlation_id": f"corr-{uuid.uuid4().hex}",
        "success": answer.code is None,
        "error_code": answer.code,
        "data": data,
    }
    return json.dumps(envelope)


def print_plain(answer: Answer) -> int:
    """Print the object of a command outside the orchestrator API; the exit status."""
    data = answer.data or {"error": answer.message}
    print(json.dumps(data, indent=2))  # noqa: T201
    return 0 if answer.code is None else 1


def print_usage_error(rules: Rules, error: SimUsageError) -> int:
    """A JSON envelope on 3.2; on 1.0 prose on standard error, and nothing on standard output."""
    if "json" in rules.switches:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return error.status
    print_answer(rules, "unknown", Answer("USAGE_ERROR", {}, str(error)))
    return error.status


def identity(rules: Rules, mission: Mission) -> Mapping[str, object]:
    """How a reply names its mission."""
    if rules.selector == "feature":
        return {"feature_slug": mission.slug}
    meta = mission.meta
    return {
        "mission_slug": mission.slug,
        "mission_number": meta.get("mission_number"),
        "mission_type": meta.get("mission_type", ""),
    }


def understood(operation: str, answer: Answer, read: Callable[[Json], T]) -> T:
    """What `read` makes of the data; raises `HostRefused` where it makes no sense, or was refused."""
    if answer.code:
        text = f"{operation}: {answer.code}: {answer.message}"
        raise HostRefused(answer.code, operation, text, answer.data)
    return read(answer.data)
