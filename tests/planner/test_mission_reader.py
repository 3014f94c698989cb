"""Looking at a mission makes nothing, and never disturbs a run that is under way."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.engine.state.repository_lock import RepositoryBusy, repository_lock
from kitty_run.engine.state.run_directory import HOME
from kitty_run.errors import HostError, UsageError
from kitty_run.host.model import Lane
from kitty_run.planner.mission_plan import make
from kitty_run.planner.mission_reader import alone, visit
from kitty_run.profile.model import HostConfig
from kitty_run.report.plan import as_text

from tests import simulated_host
from tests.engine import profiles
from tests.git_repos import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = GitRepo(tmp_path / "repo")
    made.path.mkdir()
    made.git("init", "-q", "-b", "main")
    meta = json.dumps({"target_branch": "main", "mission_slug": "demo"})
    task = "---\nwork_package_id: WP01\ndependencies: []\n---\nWrite.\n"
    files = {"kitty-specs/demo/meta.json": meta, "kitty-specs/demo/tasks/WP01.md": task, ".kittify/x": ""}
    made.commit("plan", **files)
    return made


@pytest.fixture
def config(tmp_path: Path) -> HostConfig:
    return HostConfig(command=(str(simulated_host.install(tmp_path)),))


def test_a_look_from_anywhere_in_the_repository_leaves_it_as_it_was(
    repo: GitRepo, config: HostConfig
) -> None:
    before = repo.git("status", "--porcelain", "--ignored")
    seen = asyncio.run(visit(replace(profiles.profile(), host=config), repo.path / "kitty-specs", "demo"))
    assert [(package.id, package.lane) for package in seen.state.work_packages] == [("WP01", Lane.PLANNED)]
    assert (seen.run, seen.attempts, seen.actor) == (None, 0, "kitty-run")
    assert repo.git("status", "--porcelain", "--ignored") == before
    assert not (repo.path / HOME).exists()


def test_a_plan_names_what_stops_the_mission_at_its_end_and_what_may(
    repo: GitRepo, config: HostConfig
) -> None:
    profile = replace(profiles.profile(), host=config)
    repo.commit("attributes", **{".gitattributes": "kitty-specs/** merge=spec-kitty-meta\n"})
    plan = make(profile, asyncio.run(visit(profile, repo.path, "demo")))
    assert plan.mission is not None
    assert plan.mission.problems == ()
    assert any("merge.spec-kitty-meta.driver" in text for text in plan.mission.warnings)
    assert "to know      .gitattributes names merge drivers" in as_text(plan)
    meta = {"target_branch": "main", "mission_slug": "demo", "topology": "lanes"}
    repo.commit("target", **{"kitty-specs/demo/meta.json": json.dumps(meta)})
    plan = make(profile, asyncio.run(visit(profile, repo.path, "demo")))
    assert plan.mission is not None
    assert any("which it protects" in text for text in plan.mission.problems)


def test_the_host_is_not_asked_while_a_run_is_under_way(repo: GitRepo) -> None:
    broken = HostConfig(command=("no-such-spec-kitty",))
    with repository_lock(repo.path / HOME / "lock", "demo"), pytest.raises(RepositoryBusy):
        asyncio.run(visit(replace(profiles.profile(), host=broken), repo.path, "demo"))
    with pytest.raises(HostError, match="no-such-spec-kitty"):
        asyncio.run(visit(replace(profiles.profile(), host=broken), repo.path, "demo"))


def test_two_looks_do_not_meet_where_there_has_been_a_run(tmp_path: Path) -> None:
    with alone(tmp_path, "demo"), alone(tmp_path, "demo"):
        pass  # nobody has ever run here: there is nothing to wait for
    (tmp_path / HOME).mkdir()
    with alone(tmp_path, "demo"), pytest.raises(RepositoryBusy), alone(tmp_path, "demo"):
        pass


def test_an_unknown_mission_and_a_directory_outside_of_git(
    repo: GitRepo, config: HostConfig, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        asyncio.run(visit(replace(profiles.profile(), host=config), repo.path, "demi"))
    with pytest.raises(UsageError, match="not in a git repository"):
        asyncio.run(visit(replace(profiles.profile(), host=config), tmp_path, "demo"))
