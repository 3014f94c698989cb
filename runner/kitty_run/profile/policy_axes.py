"""The axes of the policy: the fields that an agent's `enforce` table keeps, read from the profile's schema.

An axis is data: a field of `policy` with `x-axis`, its values in `enforce`, and its default in
`profiles/defaults.yaml`. Then each agent must say how it keeps its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kitty_run.profile.validation.schema import Schema, profile_schema


@dataclass(frozen=True, slots=True)
class PolicyAxis:
    """What `x-axis` says of one axis.

    `preferred` are its values in the order in which a first profile takes what its agents can keep,
    `unrestricted` is the value without any restriction, `sandboxed` are those that the runner's sandbox can
    keep: it knows neither hosts to allow nor approvals.
    """

    name: str
    preferred: tuple[str, ...]
    unrestricted: str
    sandboxed: tuple[str, ...] = ()


@cache
def policy_axes() -> Mapping[str, PolicyAxis]:
    """The axes by name, in the order in which their arguments are appended."""
    schema = profile_schema()
    enforce, policy = schema["$defs"]["agent"]["properties"]["enforce"], schema["properties"]["policy"]
    return {name: _axis(name, policy["properties"][name]["x-axis"]) for name in enforce["properties"]}


def _axis(name: str, data: Schema) -> PolicyAxis:
    return PolicyAxis(name, tuple(data["preferred"]), data["unrestricted"], tuple(data.get("sandboxed", ())))
