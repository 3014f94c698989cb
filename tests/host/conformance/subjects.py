"""Where the conformance scenarios are played: the simulated host and the real ones, on missions alike."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from kitty_run.demo import documents
from kitty_run.demo.spec import MissionSpec, Project, Topology, WorkPackageSpec
from kitty_run.host.client import SpecKitty
from kitty_run.host.detect import connect
from kitty_run.host.envelope import envelope_of
from kitty_run.host.transport.start import RawReply, Starter
from kitty_run.profile.model import HostConfig

from tests.git_repos import GitRepo
from tests.host.conformance.kept_host import KeptHost
from tests.host.sim.in_process import SimulatedStarter
from tests.hosts import RealHost

SPEC = MissionSpec(
    slug="demo",
    work_packages=(
        WorkPackageSpec("WP01", "First", owned_files=("src/wp01.py",), subtasks=("T001", "T002")),
        WorkPackageSpec("WP02", "Second", owned_files=("src/wp02.py",)),
        WorkPackageSpec("WP03", "Third", ("WP01",), owned_files=("src/wp03.py",)),
        WorkPackageSpec("WP04", "Fourth", owned_files=("src/wp04.py",)),
    ),
    topology="lanes",
)

COMPARED = frozenset(
    {
        "wp_id",
        "from_lane",
        "to_lane",
        "no_op",
        "policy_metadata_recorded",
        "claimed_by",
        "requesting_actor",
        "unsatisfied_dependencies",
        "incomplete_wps",
        "supported",
        "strategy",
        "accepted",
        "merged",
        "merged_wps",
        "merged_so_far",
        "failed_wp",
        "target_branch",
        "workspace_path",
        "prompt_path",
        "lane_branch",
        "lane_base_ref",
        "work_packages",
        "ready_work_packages",
        "api_version",
    }
)
"""The fields of replies that kitty-run reads, or shows."""

NOT_COMPARED = frozenset({"recommended_base"})


@dataclass
class Wiretap:
    """A starter that passes every call on and keeps what was answered."""

    inner: Starter
    replies: list[RawReply] = field(default_factory=list)

    async def call(self, arguments: tuple[str, ...], cwd: Path, timeout: float) -> RawReply:
        self.replies.append(await self.inner.call(arguments, cwd, timeout))
        return self.replies[-1]

    async def close(self) -> None:
        await self.inner.close()


@dataclass
class Subject:
    """A mission on a host: its repository and planning branch, and how to reach the host."""

    repo: GitRepo
    mission: str
    branch: str
    host: KeptHost | SimulatedStarter

    async def connect(self, actor: str = "kitty-run") -> tuple[SpecKitty, Wiretap]:
        """A client as `actor`, and the wire that its calls go over."""
        wire = Wiretap(self.host)
        config = HostConfig(command=self.host.command, actor=actor)
        return await connect(config, self.repo.path, self.mission, wire, lambda record: None), wire

    def told(self, reply: RawReply) -> str:
        """What a reply says, without what differs from run to run and from repository to repository."""
        envelope = envelope_of(reply.stdout)
        if envelope is None:
            return f"no envelope, exit status {reply.status}"
        data = envelope.get("data")
        fields = {key: _plain(value) for key, value in sorted((data or {}).items()) if key in COMPARED}
        text = f"{envelope['error_code'] or 'ok'} {json.dumps(fields)}"
        text = text.replace(str(self.repo.path), "REPO").replace(self.mission, "SLUG")
        return re.sub(r"lane-[a-z]+\d*\b", "LANE", text)


def simulated(
    host: SimulatedStarter, dialect: str, place: Path, topology: Topology | None = "lanes"
) -> Subject:
    """The mission on the simulated host."""
    repo = GitRepo(place)
    place.mkdir()
    repo.git("init", "-q", "-b", "main")
    meta = {"target_branch": SPEC.branch, "mission_id": "01SIM", "topology": topology}
    files = {**documents.written(SPEC), "kitty-specs/demo/meta.json": json.dumps(meta)}
    for name, text in {**files, ".kittify/sim-dialect": dialect, ".gitignore": ".worktrees/\n"}.items():
        repo.write(name, text)
    repo.git("checkout", "-q", "-b", SPEC.branch)
    repo.commit("Plan the mission")
    return Subject(repo, SPEC.slug, SPEC.branch, host)


def planned(host: RealHost, place: Path, topology: Topology | None = "lanes") -> Project:
    """The mission for a real host; `topology` None is for hosts without."""
    return host.project(replace(SPEC, topology=topology), place)


def real(host: KeptHost, project: Project) -> Subject:
    """The mission on a real host."""
    return Subject(GitRepo(project.root), project.mission, project.branch, host)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in sorted(value.items()) if key not in NOT_COMPARED}
    return [_plain(part) for part in value] if isinstance(value, list) else value
