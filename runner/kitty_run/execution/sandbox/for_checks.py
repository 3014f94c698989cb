"""Commands of the profile that run what an agent wrote: in the agent's sandbox, without its keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kitty_run.agents.model import OnDenied
from kitty_run.execution.egress.allowed_hosts import Resolve
from kitty_run.execution.sandbox.confine import Place, confine_check
from kitty_run.execution.sandbox.way_out import way_out
from kitty_run.profile.model import Agent, Policy


@dataclass(frozen=True, slots=True)
class CheckSandbox:
    """The sandbox of `agent` under `policy`, for commands in `workspace`; none where it is in none."""

    agent: Agent
    policy: Policy
    allow: tuple[str, ...]
    workspace: Path
    resolve: Resolve
    on_denied: OnDenied

    @asynccontextmanager
    async def around(self, argv: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[tuple[str, ...]]:
        """The command `argv` inside; of the network it reaches what the profile itself lists: `allow`."""
        async with way_out(self.agent, self.policy, self.allow, self.resolve, self.on_denied) as out:
            place = Place(self.workspace, way_out=out)
            yield confine_check(argv, self.agent, self.policy, env, place)
