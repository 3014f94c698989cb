"""Known shapes of secrets, masked in whatever kitty-run prints or records of an agent's output.

The raw log keeps them, for its owner only (mode 0600). Masking is a net, not a wall: a secret of an
unknown shape passes; the wall is the environment's allow-list.
"""

from __future__ import annotations

import re

MASK = "***"

SHAPES = (
    # A part of a path is none: a command that is shown must still lead there when it is pasted.
    r"(?<![\w/.-])sk-[A-Za-z0-9_-]{16,}(?![\w-]*/)",
    r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}",
    r"\bSK[0-9a-f]{32}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"\bAIza[A-Za-z0-9_-]{30,}",
    r"\bya29\.[A-Za-z0-9_-]{20,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\b(?:pypi-|fk-|sgamp_)[A-Za-z0-9_-]{24,}",
    r"\b(?:npm|hf|dop_v1|key)_[A-Za-z0-9]{24,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)",
    r"(?i)(?<=\bbearer )[A-Za-z0-9._~+/=-]{12,}",
    r"(?i)(?<=\bx-api-key: )\S{8,}",
    r"(?i)\b(?:password|passwd|pwd)[\"']?\s?[=:]\s?[\"']?(?![/~$.])[^\s\"',;]{6,}",
    r"(?i)\baws_?secret_?(?:access_?)?key[\"']?\s{0,3}[=:]\s{0,3}[\"']?[a-z0-9/+]{40}",
    r"(?i)\btwilio_?auth_?token[\"']?\s{0,3}[=:]\s{0,3}[\"']?[0-9a-f]{32}",
)
"""Regular expressions of keys of model services, forges, clouds and package registries, of JSON web tokens,
private keys, passwords in addresses, and authorisation headers."""

_ANY = re.compile("|".join(f"(?:{shape})" for shape in SHAPES if not shape.startswith("(?i)")))
_ANY_CASE = re.compile("|".join(f"(?:{shape[4:]})" for shape in SHAPES if shape.startswith("(?i)")), re.I)


_CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
"""Terminal sequences, control characters but tab and line feed, and those that turn the direction of text."""


def mask(text: str) -> str:
    """`text` without control characters, and with all that has the shape of a secret replaced by `***`."""
    return _ANY_CASE.sub(MASK, _ANY.sub(MASK, _CONTROL.sub("", text)))
