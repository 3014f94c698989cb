"""Processes in a workspace that may be a killed run's agent: nothing starts there before they are gone.

What certainly is an attempt's was ended at the start of the session. What is left may be a person's, their
shell or editor, and is never ended: it is named and waited for, and then the work package pauses.
"""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.context import Execution, Run
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.run_state import Memory
from kitty_run.execution.workspace_protocol import workspace_name

PATIENCE, LOOK = 30.0, 1.0
"""Seconds to wait for them, and between two looks."""


async def wait_for_others(run: Run, execution: Execution, wp: str, workspace: Path) -> None:
    """Return once nobody else works in `workspace`; at once where no run was cut off before this session.

    Each workspace is looked at once. Raises `Stop` where somebody still does after `PATIENCE`.
    """
    if not run.memory.sessions.cut_off or workspace in execution.looked_at:
        return
    name, announced = workspace_name(run.repo, workspace), False
    for left in range(round(PATIENCE / LOOK), -1, -1):
        found = await execution.executor.others_in(name)
        if not found:
            execution.looked_at.add(workspace)
            return
        if not announced:
            run.notice(f"waits for what else works in {workspace}: {_listed(found)}", wp)
            announced = True
        if left:
            await run.control.pause(LOOK)
    raise Stop(
        End(
            EndCode.PAUSED,
            f"{_listed(found)} in {workspace}: kitty-run does not know it, and starts no agent beside it: a "
            "run was cut off, and it may be that one's agent. End it, or have it leave that directory and "
            "close the files there, then run the same command again",
        )
    )


def workspaces_of(repo: Path, memory: Memory) -> tuple[str, ...]:
    """The names of the workspaces in which the recorded processes worked."""
    wps = {marker.split("/")[1] for marker in memory.processes if marker.count("/") == 2}
    known = {memory.of(wp).workspace for wp in wps}
    return tuple(sorted(workspace_name(repo, path) for path in known if path is not None))


def _listed(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"{', '.join(found[:5])}{more}"
