"""A scenario's record: each step, what the host answered, and what the client made of it."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.host.client import SpecKitty
from kitty_run.host.model import Allocation, HostRefused

from tests.git_repos import GitRepo
from tests.host.conformance.subjects import Subject, Wiretap

POLICY: dict[str, object] = {
    "orchestrator_id": "kitty-run",
    "orchestrator_version": "0.1.0",
    "agent_family": "claude",
    "approval_mode": "supervised",
    "sandbox_mode": "workspace_write",
    "network_mode": "none",
    "dangerous_flags": [],
}


@dataclass
class Transcript:
    """Plays steps on a subject and writes down what came of them."""

    subject: Subject
    client: SpecKitty
    wire: Wiretap
    lines: list[str] = field(default_factory=list)

    async def step(self, label: str, call: Awaitable[object]) -> None:
        """Await `call` and note its reply; a refusal is noted, not raised."""
        seen = len(self.wire.replies)
        try:
            await call
            outcome = "ok"
        except HostRefused as refused:
            outcome = refused.code
        told = [self.subject.told(reply) for reply in self.wire.replies[seen:]]
        self.lines.append(f"{label}: {outcome} <- {' | '.join(told) or 'no call'}")

    async def lanes(self) -> None:
        """Note where every work package is, and what is ready."""
        state = await self.client.state()
        lanes = ", ".join(f"{wp.id} {wp.lane}" for wp in state.work_packages)
        self.lines.append(f"lanes: {lanes}; ready: {', '.join(sorted(await self.client.ready())) or 'none'}")

    async def worktree(self, wp: str, *dependencies: str) -> GitRepo:
        """The workspace of `wp`: the host's, or added as the runner does where the host makes none."""
        found = await self.client.locate(wp)
        if self.client.traits.workspaces == "runner" and not found.workspace.exists():
            self._add(found, dependencies)
        return GitRepo(found.workspace)

    async def work(self, wp: str, *dependencies: str) -> None:
        """Commit code for `wp` in its workspace."""
        workspace = await self.worktree(wp, *dependencies)
        workspace.commit(f"{wp}", **{f"src/{wp.lower()}.py": f"{wp} = 1\n"})

    def _add(self, found: Allocation, dependencies: tuple[str, ...]) -> None:
        bases = [f"{self.subject.mission}-{name}" for name in dependencies] or [self.subject.branch]
        new = ["-b", str(found.branch), str(found.workspace), bases[0]]
        self.subject.repo.git("worktree", "add", "-q", *new)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def on_branch(repo: Path, branch: str, name: str) -> bool:
    """Whether `branch` has the file `name`."""
    argv = ("git", "cat-file", "-e", f"{branch}:{name}")
    return subprocess.run(argv, cwd=repo, capture_output=True, check=False).returncode == 0
