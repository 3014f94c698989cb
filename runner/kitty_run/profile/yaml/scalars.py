"""Plain scalars as the core schema of YAML 1.2 reads them (chapter 10.3.2 of its specification).

So `no`, `on`, `yes`, `12:30` and `2026-01-01` are text, and `010` is ten.
"""

from __future__ import annotations

import math
import re

from kitty_run.profile.yaml.tree import Scalar

MAX_DIGITS = 300

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


def resolve(text: str) -> Scalar:
    """The value of the plain scalar `text`; ValueError, with the reason, for a number out of bounds."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that can be used here")
    return _number(text)


def _number(text: str) -> Scalar:
    integer, based = _INT.match(text), _BASED.match(text)
    if not (integer or based or _FLOAT.match(text)):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters")
    if integer:
        return int(text)
    if based:
        return int(text[2:], 8 if text[1] == "o" else 16)
    if math.isinf(number := float(text)):
        raise ValueError(f"{text} is too large a number")
    return number
