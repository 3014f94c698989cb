"""What the host leaves uncommitted of its own records, committed before it would be lost or in the way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.state.events import StatusCommitted
from kitty_run.git.protocols import RepositoryPort
from kitty_run.host.protocol import Host


async def commit_status(run: Run, calls: HostCalls, repository: RepositoryPort, before: str) -> None:
    """Commit the mission's records in each place where its topology keeps them; `before` is what follows."""
    host = calls.host
    topology, mission = host.topology, run.board.mission
    message = f"chore: record the status of mission {mission}"
    places: list[Path | None] = [None] if topology.commit_status else []
    if topology.status_at and (apart := run.repo / topology.status_at.format(mission=mission)).is_dir():
        places.append(apart)
    for place in places:
        folder = (place or run.repo) / "kitty-specs" / mission
        commit = partial(_commit, host, repository, folder, message, place)
        if sha := await calls.wait_for_root(before, commit):
            run.journal.write(StatusCommitted(sha))


async def _commit(
    host: Host, repository: RepositoryPort, folder: Path, message: str, place: Path | None
) -> str | None:
    async with host.quiet():
        return await repository.commit_status(folder, message, place)
