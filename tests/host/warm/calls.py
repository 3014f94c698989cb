"""The calls that are made cold and warm, and what is compared of their results."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kitty_run.demo.spec import MissionSpec, Project, WorkPackageSpec
from kitty_run.host.transport.start import RawReply, Starter

from tests.hosts import FEATURE_HOST, MISSION_HOST, NEXT_HOST

POLICY = json.dumps(
    {
        "orchestrator_id": "kitty-run",
        "orchestrator_version": "1.0.0",
        "agent_family": "claude",
        "approval_mode": "supervised",
        "sandbox_mode": "workspace_write",
        "network_mode": "none",
        "dangerous_flags": [],
    }
)
REVIEW = json.dumps({"reviewer": "codex", "verdict": "approved", "reference": "run/WP01"})

WORK_PACKAGES = (
    WorkPackageSpec("WP01", "Words", subtasks=("T001",)),
    WorkPackageSpec("WP02", "Lines", ("WP01",)),
)
SPECS = {
    FEATURE_HOST: MissionSpec("012-words", WORK_PACKAGES, None),
    MISSION_HOST: MissionSpec("012-words", WORK_PACKAGES, "coord"),
    NEXT_HOST: MissionSpec("012-words", WORK_PACKAGES, "coord"),
}

MISSION = "{mission}"

Step = tuple[str, ...] | Callable[[Project], None]
"""The arguments of a call, with MISSION for the slug, or something that is done between calls."""


def feature_steps() -> Iterator[Step]:
    """1.0.3: claims, a rejection, a merge, and what goes wrong on the way."""
    select, wp = ("--feature", MISSION), ("--wp", "WP01")
    by, policy = ("--actor", "kitty-run"), ("--policy", POLICY, "--json")
    api = "orchestrator-api"
    yield api, "contract-version", "--json"
    yield api, "contract-version", "--provider-version", "0.0.1"
    yield api, "feature-state", *select
    yield api, "feature-state", "--feature", "099-none"
    yield api, "list-ready", "--mission", MISSION
    yield api, "start-implementation", *select, *wp, *by
    yield api, "start-implementation", *select, *wp, *by, "--policy", "{}"
    yield api, "start-implementation", *select, "--wp", "WP09", *by, *policy
    yield api, "start-implementation", *select, *wp, *by, *policy
    yield api, "start-implementation", *select, *wp, "--actor", "other", *policy
    yield lambda project: work(project, f".worktrees/{project.mission}-WP01", f"{project.mission}-WP01")
    yield api, "transition", *select, *wp, "--to", "for_review", *by, *policy
    yield api, "start-review", *select, *wp, *by, "--review-ref", "run/WP01", *policy
    yield api, "transition", *select, *wp, "--to", "approved", *by
    yield api, "append-history", *select, *wp, *by, "--note", "reworked"
    yield api, "transition", *select, *wp, "--to", "for_review", *by, *policy
    yield api, "transition", *select, *wp, "--to", "done", *by
    yield api, "list-ready", *select
    yield api, "accept-feature", *select, *by
    yield api, "merge-feature", *select, "--target", "feature/work", "--strategy", "rebase"
    yield api, "merge-feature", *select, "--target", "feature/work", "--strategy", "merge"


def mission_steps() -> Iterator[Step]:
    """3.2.7: two work packages on a coordination mission, with its git merge drivers and its crashes."""
    select, wp, second = ("--mission", MISSION), ("--wp", "WP01"), ("--wp", "WP02")
    by, policy, review = ("--actor", "kitty-run"), ("--policy", POLICY), ("--review-result-json", REVIEW)
    api = "orchestrator-api"
    yield api, "contract-version", "--provider-version", "0.0.1"
    yield api, "list-ready", "--feature", MISSION
    yield api, "start-implementation", *select, *wp, *by
    yield api, "start-implementation", *select, *second, *by, *policy
    yield api, "start-implementation", *select, *wp, *by, *policy
    yield api, "transition", *select, *wp, "--to", "nowhere", *by, *policy
    yield lambda project: work(project, f".worktrees/{project.mission}-lane-a")
    yield "agent", "tasks", "mark-status", "T001", "--status", "done", *select, "--json"
    yield api, "transition", *select, *wp, "--to", "for_review", *by, *policy
    yield api, "start-review", *select, *wp, *by, *policy
    yield api, "transition", *select, *wp, "--to", "done", *by, *policy, *review
    yield api, "start-implementation", *select, *second, *by, *policy
    yield api, "append-history", *select, *second, *by, "--note", "half way"
    yield api, "mission-state", *select
    yield api, "accept-mission", *select, *by
    yield api, "merge-mission", *select, "--strategy", "merge"


def next_steps() -> Iterator[Step]:
    """4.0.0rc7: every operation of the dialect, on a coordination mission, and what goes wrong on the way."""
    select, wp, second = ("--mission", MISSION), ("--wp", "WP01"), ("--wp", "WP02")
    by, policy, review = ("--actor", "kitty-run"), ("--policy", POLICY), ("--review-result-json", REVIEW)
    rejection = REVIEW.replace("approved", "changes_requested")
    api, tasks = "orchestrator-api", ("agent", "tasks")
    verdict = (
        "agent",
        "acceptance-verdict",
        *select,
        "--result",
        "pass",
        "--evidence",
        "a test",
        *by,
        "--json",
    )
    yield api, "contract-version", "--json"
    yield api, "mission-state", *select
    yield api, "list-ready", *select
    yield *tasks, "move-task", "WP02", "--to", "claimed", "--agent", "kitty-run", *select, "--json"
    yield *tasks, "move-task", "WP01", "--to", "claimed", "--agent", "kitty-run", *select, "--json"
    yield api, "start-implementation", *select, *wp, *by
    yield api, "start-implementation", *select, *wp, *by, *policy
    yield api, "resolve-workspace", *select, *wp
    yield api, "transition", *select, *wp, "--to", "nowhere", *by, *policy
    yield lambda project: work(project, f".worktrees/{project.mission}-lane-a")
    yield *tasks, "mark-status", "T009", "--status", "done", *wp, *select, "--json"
    yield *tasks, "mark-status", "T001", "--status", "done", *wp, *select, "--json"
    yield api, "transition", *select, *wp, "--to", "for_review", *by, *policy
    yield api, "start-review", *select, *wp, *by, *policy
    back = ("--review-ref", "run/WP01", "--review-result-json", rejection)
    yield api, "transition", *select, *wp, "--to", "in_progress", *by, *policy, *back
    yield api, "append-history", *select, *wp, *by, "--note", "reworked"
    yield api, "transition", *select, *wp, "--to", "for_review", *by, *policy
    yield api, "start-review", *select, *wp, *by, *policy
    yield api, "transition", *select, *wp, "--to", "done", *by, *policy, *review
    yield *tasks, "move-task", "WP02", "--to", "claimed", "--agent", "kitty-run", *select, "--json"
    yield api, "start-implementation", *select, *second, *by, *policy
    yield api, "transition", *select, *second, "--to", "blocked", *by, "--note", "stuck"
    yield *verdict, "--criterion", "FR-009"
    yield *verdict, "--criterion", "FR-001"
    yield api, "accept-mission", *select, *by
    yield api, "consolidate-mission", *select, "--strategy", "octopus"


STEPS = {FEATURE_HOST: feature_steps, MISSION_HOST: mission_steps, NEXT_HOST: next_steps}


def work(project: Project, workspace: str, branch: str | None = None) -> None:
    """What an agent and the runner leave in a workspace, which the runner makes where a branch is given."""
    if branch is not None:
        _git(project.root, "worktree", "add", "-q", "-b", branch, workspace)
    (project.root / workspace / "words.py").write_text("WORDS = 1\n", encoding="utf-8")
    _git(project.root / workspace, "add", "words.py")
    _git(project.root / workspace, "commit", "-q", "-m", "Count words")


async def make_calls(version: str, starter: Starter, project: Project) -> list[tuple[str, RawReply]]:
    """All steps in order, as (operation, reply)."""
    replies = []
    for step in STEPS[version]():
        if callable(step):
            step(project)
        else:
            arguments = tuple(project.mission if word == MISSION else word for word in step)
            replies.append((" ".join(arguments[1:2]), await starter.call(arguments, project.root, 120.0)))
    return replies


@dataclass(frozen=True, slots=True)
class Shown:
    """A reply without what differs from run to run."""

    operation: str
    status: int | None
    stdout: str
    stderr: str


def shown(operation: str, reply: RawReply, project: Project) -> Shown:
    stderr = reply.stderr
    if "Traceback" in stderr:  # its frames tell who ran the script
        stderr = stderr.strip().rsplit("\n", 1)[-1]
    return Shown(operation, reply.status, steady(reply.stdout, project), steady(stderr, project))


VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"  # times
    r"|corr-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids
    r"|\b01[0-9A-HJKMNP-TV-Z]{24}\b"
    r"|\b[0-9a-f]{7,40}\b|kitty-merge-\w+"  # commits, scratch directories
    r"|(?<=pid\": )\d+"
)


def steady(text: str, project: Project) -> str:
    return VOLATILE.sub("…", text.replace(str(project.root), "ROOT"))


def repository(project: Project) -> dict[str, object]:
    """Everything of a repository that a host call can change."""
    tracked = _git(project.root, "for-each-ref", "--format=%(refname)").splitlines()
    return {
        "status": _git(project.root, "status", "--porcelain", "--branch"),
        "worktrees": steady(_git(project.root, "worktree", "list"), project),
        "commits": {ref: _history(project, ref) for ref in tracked},
        "config": steady((project.root / ".git/config").read_text(encoding="utf-8"), project),
        "files": {str(path): text for path, text in _files(project)},
    }


def _files(project: Project) -> Iterator[tuple[Path, str]]:
    for path in sorted(project.root.rglob("*")):
        relative = path.relative_to(project.root)
        if path.is_file() and ".git" not in relative.parts:
            yield relative, steady(path.read_text(encoding="utf-8", errors="replace"), project)


def _history(project: Project, ref: str) -> list[tuple[str, list[str]]]:
    """Each commit's subject with those of its parents, in no order: commits of one second have none."""
    lines = _git(project.root, "log", "--format=%H|%P|%s", ref).splitlines()
    commits = {
        commit: (parents.split(), subject)
        for commit, parents, subject in (line.split("|", 2) for line in lines)
    }
    return sorted(
        (subject, [commits[parent][1] for parent in parents]) for parents, subject in commits.values()
    )


def _git(where: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Agent", "-c", "user.email=agent@kitty-run.invalid", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=True).stdout
