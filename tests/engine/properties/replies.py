"""What can be wrong with the text of a host's reply; each of the functions changes one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Spoil = Callable[[str], str]


def _nothing(text: str) -> str:
    return ""


def _garbage(text: str) -> str:
    return 'Traceback (most recent call last):\n  File "x.py", line 1\n{"success": true\n\x00\ufffd'


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _twice(text: str) -> str:
    return f"{text}\n{text}"


def _another_first(text: str) -> str:
    return f"{json.dumps({'success': False, 'command': 'x', 'error_code': 'USAGE_ERROR'})}\n{text}"


def _a_list(text: str) -> str:
    return f"[{text}]"


def _no_code(text: str) -> str:
    return _with(text, {"success": False, "error_code": None})


def _a_word_for_success(text: str) -> str:
    return _with(text, {"success": "yes"})


def _no_data(text: str) -> str:
    return _with(text, {"data": None})


def _a_list_of_data(text: str) -> str:
    return _with(text, {"data": [1, 2]})


def _unknown_lane(text: str) -> str:
    return _each(text, {"lane": "parked"})


def _lane_of_a_wrong_type(text: str) -> str:
    return _each(text, {"lane": 7})


def _id_of_a_wrong_type(text: str) -> str:
    return _each(text, {"wp_id": ["WP01"]})


def _id_that_is_a_path(text: str) -> str:
    return _each(text, {"wp_id": "../WP01"})


def _not_merged(text: str) -> str:
    reply = json.loads(text)
    return _with(text, {"data": {**(reply["data"] or {}), "merged": "no"}})


SPOILS: tuple[Spoil, ...] = (
    _nothing,
    _garbage,
    _cut,
    _twice,
    _another_first,
    _a_list,
    _no_code,
    _a_word_for_success,
    _no_data,
    _a_list_of_data,
    _unknown_lane,
    _lane_of_a_wrong_type,
    _id_of_a_wrong_type,
    _id_that_is_a_path,
    _not_merged,
)


def _with(text: str, fields: Mapping[str, Any]) -> str:
    return json.dumps({**json.loads(text), **fields})


def _each(text: str, fields: Mapping[str, Any]) -> str:
    """With `fields` in every object of every list in the data."""
    data = {
        key: [{**one, **fields} if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for key, value in (json.loads(text)["data"] or {}).items()
    }
    return _with(text, {"data": data})
