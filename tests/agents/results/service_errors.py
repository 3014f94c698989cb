"""What each family's CLI writes where its service fails: the wrappers of the recordings, around any text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SESSION = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Written:
    """What a CLI left behind."""

    stdout: str = ""
    stderr: str = ""
    status: int = 1


def _line(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _claude(text: str, _status: int | None) -> Written:
    init = _line({"type": "system", "subtype": "init", "session_id": SESSION})
    result = {
        "is_error": True,
        "num_turns": 1,
        "session_id": SESSION,
        "usage": {"input_tokens": 0},
        "permission_denials": [],
        "terminal_reason": "api_error",
        "subtype": "success",
        **({"api_error_status": _status} if _status else {}),
        "result": text,
        "type": "result",
        "duration_ms": 503,
    }
    return Written(init + _line(result))


def _codex(text: str, _status: int | None) -> Written:
    events = [
        {"type": "thread.started", "thread_id": SESSION},
        {"type": "turn.started"},
        {"type": "error", "message": text},
        {"type": "turn.failed", "error": {"message": text}},
    ]
    return Written("".join(map(_line, events)))


def _gemini(text: str, status: int | None) -> Written:
    document = {"session_id": SESSION, "error": {"type": "Error", "message": text, "code": status or 1}}
    trace = f"Error when talking to Gemini API Full report available at: /x.json {text}\n    at f (file:///x.js:1:1)\n"
    return Written("", trace + json.dumps(document, indent=2) + "\n", (status % 256) if status else 1)


def _opencode(text: str, status: int | None) -> Written:
    data: dict[str, Any] = {"message": text, **({"statusCode": status} if status else {})}
    error = {"name": "APIError" if status else "UnknownError", "data": data}
    return Written(_line({"type": "error", "timestamp": 1, "sessionID": "ses_x", "error": error}))


def _copilot(text: str, status: int | None) -> Written:
    data = {"errorType": "query", "message": text, **({"statusCode": status} if status else {})}
    events = [
        {"type": "session.error", "data": data, "id": SESSION},
        {"type": "result", "sessionId": SESSION, "exitCode": 1, "usage": {}},
    ]
    return Written("".join(map(_line, events)))


def _qwen(text: str, status: int | None) -> Written:
    message = f"[API Error: {status} {text}]" if status else f"[API Error: {text}]"
    result = {
        "type": "result",
        "subtype": "error_during_execution",
        "session_id": SESSION,
        "is_error": True,
        "duration_ms": 500,
        "error": {"message": message},
    }
    return Written(_line(result))


def _pi(text: str, status: int | None) -> Written:
    said = f"{status} {text}" if status else text
    message = {"role": "assistant", "content": [], "stopReason": "error", "errorMessage": said}
    events = [
        {"type": "session", "version": 3, "id": SESSION},
        {"type": "turn_end", "message": message, "toolResults": []},
        {"type": "agent_end", "messages": []},
    ]
    return Written("".join(map(_line, events)), status=0)


def _letta(text: str, status: int | None) -> Written:
    inner = json.dumps({"error": {"message": f"{status}: {text}" if status else text}}, indent=2)
    return Written(_line({"type": "error", "message": inner}))


def _kimi(text: str, status: int | None) -> Written:
    return Written("", f"error: failed to run prompt: {f'{status} ' if status else ''}{text}\n")


def _plain_error(text: str, status: int | None) -> Written:
    return Written("", f"Error: {f'{status} ' if status else ''}{text}\n")


def _aider(text: str, _status: int | None) -> Written:
    return Written(f"litellm.APIError: {text}\n")


def _augment(text: str, status: int | None) -> Written:
    return Written("", f"❌ {f'HTTP error: {status} ' if status else ''}{text}\n")


WRITE: dict[str, Callable[[str, int | None], Written]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
    "kilocode": _opencode,
    "copilot": _copilot,
    "qwen": _qwen,
    "pi": _pi,
    "letta": _letta,
    "kimi": _kimi,
    "vibe": _plain_error,
    "cursor": _plain_error,
    "aider": _aider,
    "augment": _augment,
}
