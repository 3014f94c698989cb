"""Limits that can't see what some agents use, since their `output` does not say where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kitty_run.profile.limits import UNREPORTED, Allowance, Limit
from kitty_run.profile.model import Agent, Profile

COST = ("cost_usd",)
PRICED = ("model", "input_tokens", "output_tokens")
"""The keys of an agent's `output` that its cost can be computed from."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """The limit at `path` does not see what `agents` use; with `all`, no other agent has a role.

    `reported` are the keys of an agent's `output` that it needs.
    """

    path: tuple[str, ...]
    reported: tuple[str, ...]
    agents: tuple[str, ...]
    all: bool

    @property
    def key(self) -> str:
        """The limit's name, such as `limits.cost_usd`."""
        return ".".join(self.path)

    @property
    def message(self) -> str:
        """What it does not see, why, and what follows."""
        saying = " and ".join(f"`{key}`" for key in self.reported)
        if self.reported == COST:
            saying += f", nor what `prices` need ({', '.join(f'`{key}`' for key in PRICED)})"
        whose = "its" if len(self.agents) == 1 else "their"
        what = (
            f"does not see what {', '.join(self.agents)} used, since {whose} `output` does not map {saying}"
        )
        return f"{what}: it is never reached" if self.all else f"{what}: more may be used than it says"

    @property
    def hint(self) -> str:
        """What holds all the same."""
        beside = ".".join(self.path[:-1])
        return f"{' and '.join(f'{beside}.{key}' for key in UNREPORTED)} hold for every agent"

    def __str__(self) -> str:
        """All of it, as a sentence."""
        return f"{self.key} {self.message} ({self.hint})"


def unseen(profile: Profile) -> tuple[Unseen, ...]:
    """Every limit on cost or tokens that some agent in a role can exceed unseen."""
    names = dict.fromkeys(name for role in profile.roles.values() for name in role.agents)
    agents = [profile.agents[name] for name in names]
    limits = profile.limits
    return (*_of(("limits",), limits, agents), *_of(("limits", "work_package"), limits.work_package, agents))


def _of(path: tuple[str, ...], allowance: Allowance, agents: list[Agent]) -> Iterator[Unseen]:
    for limit, _ in allowance.given():
        blind = tuple(agent.name for agent in agents if not _reports(agent, limit))
        if blind:
            yield Unseen((*path, limit.key), limit.reported, blind, len(blind) == len(agents))


def _reports(agent: Agent, limit: Limit) -> bool:
    output = agent.output
    if all(map(output.reports, limit.reported)):
        return True
    return limit.reported == COST and all(map(output.reports, PRICED))
