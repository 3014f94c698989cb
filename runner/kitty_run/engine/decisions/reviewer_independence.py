"""Who may take a role for one work package: the role's agents in order, and the independence of reviewers."""

from __future__ import annotations

from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.profile.model import Profile, RoleName


class RoleAgents:
    """One role's agents for one work package. The current one is the first, or the fallback led to."""

    def __init__(self, profile: Profile, memory: WorkPackageMemory, role: RoleName) -> None:
        self._profile = profile
        self._memory = memory
        self._role: RoleName = role

    def agents(self) -> tuple[str, ...]:
        """The role's agents in order.

        Of an independent role only those whose family did none of the work; where none is listed, those
        whose family did not finish it; and only where there is no such agent either, all of them.
        """
        role = self._profile.roles[self._role]
        if not role.independent:
            return role.agents
        authors = self._authors()
        strangers = tuple(name for name in role.agents if self.family_of(name) not in authors)
        others = tuple(name for name in role.agents if self.family_of(name) != authors[-1])
        return strangers or others or role.agents

    def index(self) -> int:
        """The current agent's place among `agents`."""
        return min(self._memory.agent.get(self._role, 0), len(self.agents()) - 1)

    def agent(self) -> str:
        """The role's current agent."""
        return self.agents()[self.index()]

    def family(self) -> str:
        """The family of the role's current agent."""
        return self.family_of(self.agent())

    def family_of(self, agent: str) -> str:
        """The family of `agent`."""
        return self._profile.agents[agent].family

    def has_next(self) -> bool:
        """Whether there is an agent to fall back to."""
        return self.index() + 1 < len(self.agents())

    def dependence(self) -> str:
        """Why an independent role's current agent is not independent of the work, in words; else empty."""
        authors, family = self._authors(), self.family()
        if not self._profile.roles[self._role].independent or family not in authors:
            return ""
        if family == authors[-1]:
            return f"no reviewer of another family than the implementer's is listed: {self.agent()} reviews"
        return (
            f"every reviewer that is listed is of a family that did a part of this: {self.agent()} reviews "
            f"what family {authors[-1]} finished"
        )

    def kept_out(self) -> str:
        """Which agents independence keeps from taking over, in words; empty where it keeps out none."""
        out = [name for name in self._profile.roles[self._role].agents if name not in self.agents()]
        if not out:
            return ""
        return f"{', '.join(out)} may not take over: `independent` wants another family than the work is of"

    def _authors(self) -> tuple[str, ...]:
        """The families that did the work, and not only the one that finished it; at least one.

        An attempt of which nobody knows what it left counts. Where the work was done outside of this run,
        the role's first implementer counts as its author.
        """
        memory = self._memory
        open_ = [memory.under_way.family] if memory.under_way is not None else []
        known = [family for family in memory.authors if family not in open_] + open_
        return tuple(known) or (self.family_of(self._profile.roles["implement"].agents[0]),)
