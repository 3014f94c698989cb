"""One role for one work package: what choosing its agent and settling its failures have in common."""

from __future__ import annotations

from dataclasses import dataclass

from kitty_run.engine.context import Execution, Run
from kitty_run.engine.decisions.reviewer_independence import RoleAgents
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.state.work_package_memory import WorkPackageMemory
from kitty_run.profile.model import RoleName


@dataclass(frozen=True, slots=True)
class RoleScope:
    """The role `role` for `wp`, and what is decided about it with."""

    run: Run
    calls: HostCalls
    execution: Execution
    wp: str
    role: RoleName

    @property
    def agents(self) -> RoleAgents:
        """The role's agents."""
        return RoleAgents(self.run.profile, self.memory, self.role)

    @property
    def memory(self) -> WorkPackageMemory:
        """What is remembered of the work package."""
        return self.run.remember(self.wp)
