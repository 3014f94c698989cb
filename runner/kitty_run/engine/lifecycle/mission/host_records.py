"""What the host leaves uncommitted of its own records, committed before it would be lost or in the way."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.context import Run
from kitty_run.engine.state.events import StatusCommitted
from kitty_run.git.protocols import RepositoryPort
from kitty_run.host.protocol import Host


async def commit_status(run: Run, host: Host, repository: RepositoryPort) -> None:
    """Commit the mission's records in each place where its topology keeps them."""
    topology, mission = host.topology, run.board.mission
    message = f"chore: record the status of mission {mission}"
    places: list[Path | None] = [None] if topology.commit_status else []
    if topology.status_at and (apart := run.repo / topology.status_at.format(mission=mission)).is_dir():
        places.append(apart)
    for place in places:
        folder = (place or run.repo) / "kitty-specs" / mission
        async with host.quiet():
            sha = await repository.commit_status(folder, message, place)
        if sha:
            run.journal.write(StatusCommitted(sha))
