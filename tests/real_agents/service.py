"""A mock model service on loopback that speaks four protocols: it asks for one tool call, then it is done."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

Scenario = Literal["work", "401", "429", "503"]
Event = tuple[str | None, Mapping[str, Any]]

DONE = "DONE: the mock service says that this is the end."
ERRORS = {
    "401": ("authentication_error", "invalid x-api-key"),
    "429": ("rate_limit_error", "Rate limit reached. Please try again in 2s."),
    "503": ("overloaded_error", "Overloaded"),
}
ANSWERED = ('"tool_result"', '"role":"tool"', "function_call_output", "functionResponse")
"""What a request has in it once the tool call was answered."""


@dataclass(frozen=True, slots=True)
class Call:
    """The tool call that the service asks for."""

    tool: str
    arguments: Mapping[str, Any]


@contextmanager
def service(scenario: Scenario, call: Call) -> Iterator[str]:
    """The address of a service that behaves as `scenario`."""
    handler = type("Handler", (_Handler,), {"scenario": scenario, "call": call})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    scenario: ClassVar[Scenario]
    call: ClassVar[Call]
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
        self._answer(request, self.call if ask else None)
        return None

    def _answer(self, request: Mapping[str, Any], call: Call | None) -> None:
        if self.path.startswith("/v1/messages/count_tokens"):
            self._reply(200, {"input_tokens": 10})
        elif self.path.startswith("/v1/messages"):
            self._stream(anthropic(call)) if request.get("stream") else self._reply(200, message(call))
        elif self.path.startswith("/v1/responses"):
            self._stream(responses(call))
        elif self.path.startswith("/v1/chat/completions"):
            if request.get("stream"):
                self._stream(chat(call), done=True)
            else:
                self._reply(200, completion(call))
        elif "generateContent" in self.path or "streamGenerateContent" in self.path:
            part = gemini(call)
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
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def message(call: Call | None) -> dict[str, Any]:
    """A whole reply of the Anthropic messages API."""
    block: dict[str, Any] = {"type": "text", "text": DONE}
    if call is not None:
        block = {"type": "tool_use", "id": "toolu_1", "name": call.tool, "input": call.arguments}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "mock-model",
        "content": [block],
        "stop_reason": "end_turn" if call is None else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 50},
    }


def anthropic(call: Call | None) -> Iterator[Event]:
    """The same reply as a stream of events."""
    whole = message(call)
    [block] = whole["content"]
    empty = {**block, "input": {}} if call is not None else {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": DONE}
    if call is not None:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
    yield "message_start", {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": empty}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": 50}}
    yield "message_stop", {"type": "message_stop"}


def responses(call: Call | None) -> Iterator[Event]:
    """A reply of the OpenAI responses API as a stream."""
    item: dict[str, Any] = {"type": "message", "role": "assistant", "id": "m1"}
    item["content"] = [{"type": "output_text", "text": DONE, "annotations": []}]
    if call is not None:
        arguments = json.dumps(call.arguments)
        item = {
            "type": "function_call",
            "id": "f1",
            "call_id": "c1",
            "name": call.tool,
            "arguments": arguments,
        }
    usage = {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage}
    yield (
        "response.created",
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
    )
    yield "response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield "response.completed", {"type": "response.completed", "response": whole}


def _chat_message(call: Call | None) -> dict[str, Any]:
    if call is None:
        return {"role": "assistant", "content": DONE}
    function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
    tools = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": tools}


def completion(call: Call | None) -> dict[str, Any]:
    """A whole reply of the OpenAI chat completions API."""
    reason = "stop" if call is None else "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "mock-model",
        "choices": [{"index": 0, "message": _chat_message(call), "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
    }


def chat(call: Call | None) -> Iterator[Event]:
    """The same reply as a stream."""
    whole = completion(call)
    [choice] = whole["choices"]
    base = {**whole, "object": "chat.completion.chunk"}
    del base["usage"]
    yield None, {**base, "choices": [{"index": 0, "delta": choice["message"], "finish_reason": None}]}
    yield None, {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield None, {**base, "choices": [], "usage": whole["usage"]}


def gemini(call: Call | None) -> dict[str, Any]:
    """A reply of the Gemini API."""
    part: dict[str, Any] = {"text": DONE}
    if call is not None:
        part = {"functionCall": {"name": call.tool, "args": call.arguments}}
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 50, "totalTokenCount": 1050}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage}
