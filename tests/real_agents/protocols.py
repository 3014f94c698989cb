"""Replies of model services in four protocols: a call of one tool, or a text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Event = tuple[str | None, Mapping[str, Any]]
"""A server-sent event: its name, where it has one, and its data."""


@dataclass(frozen=True, slots=True)
class Call:
    """The tool call that the service asks for."""

    tool: str
    arguments: Mapping[str, Any]


Answer = Call | str


def message(answer: Answer) -> dict[str, Any]:
    """A whole reply of the Anthropic messages API."""
    block: dict[str, Any] = {"type": "text", "text": answer}
    if isinstance(answer, Call):
        block = {"type": "tool_use", "id": "toolu_1", "name": answer.tool, "input": answer.arguments}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "mock-model",
        "content": [block],
        "stop_reason": "end_turn" if isinstance(answer, str) else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 50},
    }


def anthropic(answer: Answer) -> Iterator[Event]:
    """The same reply as a stream of events."""
    whole = message(answer)
    [block] = whole["content"]
    empty = {**block, "input": {}} if isinstance(answer, Call) else {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": answer}
    if isinstance(answer, Call):
        delta = {"type": "input_json_delta", "partial_json": json.dumps(answer.arguments)}
    yield "message_start", {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": empty}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": 50}}
    yield "message_stop", {"type": "message_stop"}


def responses(answer: Answer) -> Iterator[Event]:
    """A reply of the OpenAI responses API as a stream."""
    item: dict[str, Any] = {"type": "message", "role": "assistant", "id": "m1"}
    item["content"] = [{"type": "output_text", "text": answer, "annotations": []}]
    if isinstance(answer, Call):
        arguments = json.dumps(answer.arguments)
        item = {
            "type": "function_call",
            "id": "f1",
            "call_id": "c1",
            "name": answer.tool,
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


def _chat_message(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"role": "assistant", "content": answer}
    function = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
    tools = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": tools}


def completion(answer: Answer) -> dict[str, Any]:
    """A whole reply of the OpenAI chat completions API."""
    reason = "stop" if isinstance(answer, str) else "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "mock-model",
        "choices": [{"index": 0, "message": _chat_message(answer), "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
    }


def chat(answer: Answer) -> Iterator[Event]:
    """The same reply as a stream."""
    whole = completion(answer)
    [choice] = whole["choices"]
    base = {**whole, "object": "chat.completion.chunk"}
    del base["usage"]
    yield None, {**base, "choices": [{"index": 0, "delta": choice["message"], "finish_reason": None}]}
    yield None, {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield None, {**base, "choices": [], "usage": whole["usage"]}


def gemini(answer: Answer) -> dict[str, Any]:
    """A reply of the Gemini API."""
    part: dict[str, Any] = {"text": answer}
    if isinstance(answer, Call):
        part = {"functionCall": {"name": answer.tool, "args": answer.arguments}}
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 50, "totalTokenCount": 1050}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage}
