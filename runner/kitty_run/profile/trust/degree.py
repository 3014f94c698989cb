"""Degrees of trust: who holds what the policy says of an agent, axis by axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.yaml.position import Place
from kitty_run.profile.yaml.tree import Path


class Degree(StrEnum):
    """`confined`: the runner's sandbox holds it. `cli`: the agent's own command line does, as its preset was
    checked against it. `declared`: only the profile says so."""

    DECLARED = "declared"
    CLI = "cli"
    CONFINED = "confined"

    @property
    def height(self) -> int:
        """The higher, the better it is held."""
        return list(Degree).index(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an axis is held no better: what the profile says at `path`, and `place`, in words for people."""

    path: Path
    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class AxisTrust:
    """How one axis is held. `restricts`: its value asks for something, so that it matters who holds it."""

    degree: Degree
    restricts: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentTrust:
    """How one agent's policy is held, by axis."""

    name: str
    axes: Mapping[str, AxisTrust]

    @property
    def degree(self) -> Degree:
        """The lowest of the axes that restrict what it reaches; where nothing is restricted, of all."""
        asked = [trust.degree for name, trust in self.axes.items() if trust.restricts and _can_be_held(name)]
        return min(asked or [trust.degree for trust in self.axes.values()], key=lambda one: one.height)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it is held no better, each once."""
        return tuple(dict.fromkeys(reason for axis in self.axes.values() for reason in axis.reasons))

    def degrees(self) -> dict[str, str]:
        """The degree by axis, as the journal has it."""
        return {axis: trust.degree.value for axis, trust in self.axes.items()}


def wanted(assurance: str | Mapping[str, str]) -> dict[str, Degree]:
    """The least degree by axis that `assurance` asks for.

    A word alone speaks of the axes that a sandbox can hold: how people are asked is what gates hold.
    """
    if isinstance(assurance, str):
        return {name: Degree(assurance) for name in policy_axes() if _can_be_held(name)}
    return {name: Degree(degree) for name, degree in assurance.items()}


def _can_be_held(axis: str) -> bool:
    return bool(policy_axes()[axis].sandboxed)
