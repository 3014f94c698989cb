"""What a host demands of `--policy`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

REQUIRED = (
    "orchestrator_id",
    "orchestrator_version",
    "agent_family",
    "approval_mode",
    "sandbox_mode",
    "network_mode",
    "dangerous_flags",
)
BANNED_FLAGS = frozenset(
    {
        "--full-auto",
        "--yolo",
        "--dangerously-bypass-approvals-and-sandbox",
        "--dangerously-skip-permissions",
    }
)
SECRET = re.compile(r"token|secret|key|password|credential", re.IGNORECASE)


def problem(policy: object, strict: bool) -> str | None:
    """Why the host refuses `policy` (a parsed JSON value, None for no JSON at all); None if it does not.

    `strict` are the rules of 3.2: types, banned flags, and secrets at every depth, not only the first.
    """
    if not isinstance(policy, Mapping):
        return "--policy must be a JSON object"
    found = [*_shape(policy), *(_strict(policy) if strict else ())]
    values = _deep(policy) if strict else _flat(policy)
    found += [f"--policy field {name!r} looks like a secret" for name, text in values if SECRET.search(text)]
    return found[0] if found else None


def _shape(policy: Mapping[str, object]) -> Iterator[str]:
    yield from (f"--policy missing required field: {name!r}" for name in REQUIRED if name not in policy)
    if not isinstance(policy.get("dangerous_flags", []), list):
        yield "--policy.dangerous_flags must be a JSON array"


def _strict(policy: Mapping[str, object]) -> Iterator[str]:
    texts = {name: policy.get(name, "") for name in REQUIRED[:-1]}
    texts["tool_restrictions"] = policy.get("tool_restrictions") or ""
    yield from (
        f"--policy.{name} must be a string" for name, text in texts.items() if not isinstance(text, str)
    )
    flags = policy.get("dangerous_flags")
    for flag in flags if isinstance(flags, list) else ():
        if not isinstance(flag, str):
            yield "--policy.dangerous_flags entries must be strings"
        elif flag in BANNED_FLAGS:
            yield f"--policy.dangerous_flags contains a banned flag: {flag!r}"


def _flat(policy: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in policy.items() if isinstance(value, str))


def _deep(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _deep(part, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _deep(part, f"{name}[{index}]")
