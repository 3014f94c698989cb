"""A mock model service on loopback: it asks for one tool call, then it is done; or it fails, always alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

from tests.real_agents import protocols
from tests.real_agents.protocols import Answer, Call, Event

Scenario = Literal["work", "401", "429", "503"]

DONE = "DONE: the mock service says that this is the end."
CODE = "c0de"
LONG = "A line that is longer than a terminal is wide. " * 8
VERDICT = f"""{DONE}

```json
{json.dumps({"code": CODE, "verdict": "approved", "summary": LONG})}
```
"""
"""What a reviewer says at its end."""

ERRORS = {
    "401": ("authentication_error", "invalid x-api-key"),
    "429": ("rate_limit_error", "Rate limit reached. Please try again in 2s."),
    "503": ("overloaded_error", "Overloaded"),
}
RETRY_AFTER = "1"
"""Seconds, as services send them along: CLIs that heed it give up sooner."""

ANSWERED = ('"tool_result"', '"role":"tool"', "function_call_output", "functionResponse")
"""What a request has in it once the tool call was answered."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answers: one `call`, where the agent has tools, then `text`."""

    call: Call | None
    text: str = DONE


@contextmanager
def service(scenario: Scenario, reply: Reply) -> Iterator[str]:
    """The address of a service that behaves as `scenario`."""

    class Handler(_Handler):
        pass

    Handler.scenario, Handler.reply = scenario, reply
    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a CLI that went away."""


class _Handler(BaseHTTPRequestHandler):
    scenario: ClassVar[Scenario]
    reply: ClassVar[Reply]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        self._reply(200, {"object": "list", "data": [{"id": "mock-model", "object": "model"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.scenario != "work":
            kind, message = ERRORS[self.scenario]
            status = int(self.scenario)
            google = {"code": status, "message": message, "status": "UNAVAILABLE"}
            error = google if "generateContent" in self.path.lower() else {"type": kind, "message": message}
            return self._reply(status, {"type": "error", "error": error})
        request = json.loads(body or "{}")
        compact = json.dumps(request, separators=(",", ":"))
        ask = bool(request.get("tools")) and not any(mark in compact for mark in ANSWERED)
        call = self.reply.call if ask else None
        self._answer(request, call or self.reply.text)
        return None

    def _answer(self, request: Mapping[str, Any], answer: Answer) -> None:
        if self.path.startswith("/v1/messages/count_tokens"):
            self._reply(200, {"input_tokens": 10})
        elif self.path.startswith("/v1/messages"):
            if request.get("stream"):
                self._stream(protocols.anthropic(answer))
            else:
                self._reply(200, protocols.message(answer))
        elif self.path.startswith("/v1/responses"):
            self._stream(protocols.responses(answer))
        elif self.path.startswith("/v1/chat/completions"):
            if request.get("stream"):
                self._stream(protocols.chat(answer), done=True)
            else:
                self._reply(200, protocols.completion(answer))
        elif "generatecontent" in self.path.lower():
            part = protocols.gemini(answer)
            self._stream(iter([(None, part)])) if "stream" in self.path else self._reply(200, part)
        else:
            self._reply(404, {"error": {"message": "no such path"}})

    def _reply(self, status: int, document: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(document))

    def _stream(self, events: Iterator[Event], *, done: bool = False) -> None:
        lines = []
        for name, data in events:
            lines.append((f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n")
        self._send(200, "text/event-stream", "".join(lines) + ("data: [DONE]\n\n" if done else ""))

    def _send(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        if status != 200:
            self.send_header("retry-after", RETRY_AFTER)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
