"""Known shapes of secrets, masked in whatever kitty-run prints or records of an agent's output.

The raw log keeps them, for its owner only (mode 0600). Masking is a net, not a wall: a secret of an
unknown shape passes; the wall is the environment's allow-list.
"""

from __future__ import annotations

import re

MASK = "***"

SHAPES = (
    r"\bsk-[A-Za-z0-9_-]{16,}",
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
)
"""Regular expressions of keys of model services, forges, clouds and package registries, of JSON web tokens,
private keys, passwords in addresses, and authorisation headers."""

_ANY = re.compile("|".join(f"(?:{shape})" for shape in SHAPES if not shape.startswith("(?i)")))
_ANY_CASE = re.compile("|".join(f"(?:{shape[4:]})" for shape in SHAPES if shape.startswith("(?i)")), re.I)


def mask(text: str) -> str:
    """`text` with everything that has the shape of a secret replaced by `***`."""
    return _ANY_CASE.sub(MASK, _ANY.sub(MASK, text))
