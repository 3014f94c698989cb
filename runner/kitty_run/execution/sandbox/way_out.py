"""The gateway of a process whose policy lists hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from kitty_run.agents.model import OnDenied
from kitty_run.execution.egress.allowed_hosts import AllowedHosts, Resolve
from kitty_run.execution.egress.gateway import gateway
from kitty_run.execution.sandbox.bubblewrap import WayOut
from kitty_run.execution.sandbox.confine import needs_way_out
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.validation.network import host_rule


@asynccontextmanager
async def way_out(
    agent: Agent, policy: Policy, allow: Iterable[str], resolve: Resolve, on_denied: OnDenied
) -> AsyncIterator[WayOut | None]:
    """What lets one process of `agent` reach the hosts `allow`; None where `policy` has another way, or the
    network is not left to the runner."""
    if not needs_way_out(agent, policy):
        yield None
        return
    hosts = AllowedHosts(map(host_rule, allow), resolve)
    async with gateway(hosts, on_denied) as socket:
        yield WayOut(socket, hosts.list_loopback)
