"""What would stop a mission at its end is found before anything is paid, with the command that fixes it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from kitty_run.engine.root_checkout import root_checkout
from kitty_run.engine.start_check import NotReady, Obstacle, StartCheck
from kitty_run.errors import ExitStatus
from kitty_run.git.readiness import behind as remotes
from kitty_run.host.client import SpecKitty
from kitty_run.host.detect import connect
from kitty_run.profile.finish import Finish, Merge
from kitty_run.profile.model import HostConfig

from tests.git_repos import GitRepo
from tests.host.scripted import ScriptedStarter, success

CONTRACTS = {"feature": "1.0.0", "mission": "1.5.0", "mission-4": "1.16.0"}
ATTRIBUTES = "kitty-specs/**/meta.json merge=spec-kitty-meta\n*.po merge=theirs\n/docs/x merge=docs\n"


class Place:
    """A mission `demo` of two work packages on a scripted host, in a real repository."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.repo = GitRepo(path)
        self.repo.git("init", "-q", "-b", "work")
        for wp in ("WP01", "WP02"):
            self.repo.write(
                f"kitty-specs/demo/tasks/{wp}.md", f"---\nrequirement_refs: [FR-001]\n---\n{wp}\n"
            )
        self.meta(topology="lanes", target_branch="work")
        self.repo.commit("plan")

    def meta(self, **fields: str) -> None:
        self.repo.write("kitty-specs/demo/meta.json", json.dumps(fields))

    def obstacles(
        self, dialect: str = "mission", finish: Finish | None = None, lane: str = "planned"
    ) -> tuple[Obstacle, ...]:
        return asyncio.run(self._looked(dialect, finish or Finish(), lane))

    async def _looked(self, dialect: str, finish: Finish, lane: str) -> tuple[Obstacle, ...]:
        check = await self.check(dialect, finish, lane)
        return await check.obstacles()

    async def check(self, dialect: str, finish: Finish, lane: str) -> StartCheck:
        host = await self._connected(dialect, lane)
        state = await host.state()
        root = await root_checkout(host, finish, self.repo.path, "demo")
        return StartCheck(host, root, finish, state)

    async def _connected(self, dialect: str, lane: str) -> SpecKitty:
        packages = [
            {"wp_id": wp, "lane": lane, "dependencies": [], "last_actor": None} for wp in ("WP01", "WP02")
        ]
        named = "feature_slug" if dialect == "feature" else "mission_slug"
        answers = {
            "contract-version": success(api_version=CONTRACTS[dialect]),
            "feature-state": success(feature_slug="demo", work_packages=packages),
            "mission-state": success(**{named: "demo"}, work_packages=packages),
        }
        starter = ScriptedStarter(lambda argv: answers[argv[1]])
        config = HostConfig(dialect=dialect)
        return await connect(config, self.repo.path, "demo", starter, lambda record: None)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "repo")


def only(found: tuple[Obstacle, ...], subject: str) -> Obstacle:
    assert [one.subject for one in found] == [subject], found
    return found[0]


@pytest.mark.parametrize("dialect", list(CONTRACTS))
def test_a_sound_mission_has_nothing_in_its_way(place: Place, dialect: str) -> None:
    assert place.obstacles(dialect) == ()


@pytest.mark.parametrize(("topology", "blocks"), [("coord", True), ("lanes", False)])
def test_merge_drivers_of_the_host_that_git_lacks_are_named_with_the_commands_that_register_them(
    place: Place, topology: str, blocks: bool
) -> None:
    place.meta(topology=topology, target_branch="work")
    place.repo.commit("attributes", **{".gitattributes": ATTRIBUTES})
    found = only(place.obstacles(), "merge drivers")
    assert found.blocks is blocks
    assert "theirs" not in found.text
    assert "docs" not in found.text
    command = next(line.strip() for line in found.text.splitlines() if " config " in line)
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - as a person would paste it
    driver = place.repo.git("config", "merge.spec-kitty-meta.driver")
    assert driver == "spec-kitty merge-driver-meta %O %A %B"
    assert place.obstacles() == ()


def test_a_driver_that_no_dialect_knows_is_named_all_the_same(place: Place) -> None:
    place.repo.commit(
        "attributes", **{".gitattributes": "kitty-specs/** merge=mine\nkitty-specs/x merge=union"}
    )
    found = only(place.obstacles(), "merge drivers")
    assert "(mine)" in found.text
    (place.repo.path / ".gitattributes").unlink()
    place.repo.write(".git/info/attributes", "kitty-specs/** merge=local\n")
    place.repo.git("commit", "-qam", "none")
    assert "(local)" in only(place.obstacles(), "merge drivers").text


@pytest.mark.parametrize("branch", ["main", "master"])
def test_a_target_that_the_host_protects_is_refused_where_the_status_is_committed_on_it(
    place: Place, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.repo.git("branch", "-m", branch)
    place.meta(topology="lanes", target_branch=branch)
    place.repo.commit("target")
    found = only(place.obstacles(), "target")
    assert found.blocks
    assert f"on {branch}, which it protects" in found.text
    monkeypatch.setenv("SPEC_KITTY_ALLOW_PROTECTED_BRANCH_COMMITS", "1")
    assert place.obstacles() == ()
    monkeypatch.delenv("SPEC_KITTY_ALLOW_PROTECTED_BRANCH_COMMITS")
    place.repo.commit("allow", **{".kittify/config.yaml": "protection: {protected_branches: []}\n"})
    assert place.obstacles() == ()
    place.repo.commit("name", **{".kittify/config.yaml": f"protection: {{protected_branches: [{branch}]}}\n"})
    assert only(place.obstacles(), "target").blocks
    place.meta(topology="coord", target_branch=branch)
    place.repo.commit("coord")
    assert place.obstacles() == ()  # its status is on a branch of its own


def test_the_default_branch_of_the_remote_is_protected_too(place: Place) -> None:
    place.repo.git("update-ref", "refs/remotes/origin/work", "HEAD")
    place.repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/work")
    assert "on work, which it protects" in only(place.obstacles(), "target").text


@pytest.fixture
def remote(place: Place, tmp_path: Path) -> GitRepo:
    """A remote that is two commits ahead; nothing of that was fetched."""
    place.repo.git("clone", "-q", str(place.repo.path), str(tmp_path / "remote"))
    there = GitRepo(tmp_path / "remote")
    place.repo.git("remote", "add", "upstream", str(there.path))
    place.repo.git("config", "branch.work.remote", "upstream")
    there.commit("one", one="1")
    there.commit("two", two="2")
    return there


@pytest.mark.parametrize("fetched", [True, False])
def test_a_target_behind_its_remote_is_named_with_the_command_that_brings_it_up(
    place: Place, remote: GitRepo, fetched: bool
) -> None:
    if fetched:
        place.repo.git("fetch", "-q", "upstream")
    found = only(place.obstacles(), "target")
    assert not found.blocks
    assert ("2 commits" if fetched else "by commits") in found.text
    assert only(place.obstacles(finish=Finish(merge=Merge(push=True))), "target").blocks
    assert place.obstacles(finish=Finish(merge=None)) == ()
    command = found.text.rpartition(": ")[2].strip("`")
    subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602
    assert place.obstacles() == ()
    assert place.repo.head() == remote.head()


def test_a_host_that_refuses_to_merge_into_a_target_behind_its_remote_is_not_started(
    place: Place, remote: GitRepo
) -> None:
    place.meta(target_branch="work")
    place.repo.commit("flat")
    assert only(place.obstacles("feature"), "target").blocks


def test_a_target_that_is_not_checked_out_is_brought_up_without_a_checkout(
    place: Place, remote: GitRepo
) -> None:
    place.meta(topology="coord", target_branch="work")
    place.repo.commit("coord")
    place.repo.git("push", "-q", "--force", "upstream", "work:work2")
    remote.git("reset", "-q", "--hard", "work2")
    remote.commit("more")
    place.repo.git("switch", "-q", "-c", "elsewhere")
    command = only(place.obstacles(), "target").text.rpartition(": ")[2].strip("`")
    subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602
    assert place.repo.head("work") == remote.head()
    assert place.obstacles() == ()


@pytest.mark.parametrize("url", ["/nowhere/at/all", "https://localhost:9/x.git"])
def test_trouble_with_a_remote_stops_no_run(place: Place, url: str) -> None:
    place.repo.git("remote", "add", "origin", url)
    assert place.obstacles(finish=Finish(merge=Merge(push=True))) == ()


def test_a_remote_that_never_answers_is_given_up_soon(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    silent.chmod(0o755)
    place.repo.git("remote", "add", "origin", str(place.repo.path))
    place.repo.git("config", "remote.origin.uploadpack", str(silent))
    monkeypatch.setattr(remotes, "PATIENCE", 0.2)
    assert place.obstacles() == ()


def test_dependencies_that_only_tasks_md_names_are_told(place: Place) -> None:
    tasks = "# Tasks\n\n## Work Package WP02: Two\n\n**Dependencies**: WP01 (the base), WP09\n"
    place.repo.commit("tasks", **{"kitty-specs/demo/tasks.md": tasks})
    before = place.repo.status()
    found = only(place.obstacles(), "plan")
    assert not found.blocks
    assert "WP02 depends on WP01," in found.text
    assert place.repo.status() == before
    assert place.obstacles(lane="for_review") == ()  # too late to wait for it


CRITERIA = {
    "criteria": [
        {
            "criterion_id": "FR-001",
            "description": "a",
            "pass_fail": "pending",
            "proof_type": "automated_test",
        },
        {
            "criterion_id": "FR-002",
            "description": "b",
            "pass_fail": "pending",
            "proof_type": "automated_test",
        },
        {"criterion_id": "NFR-001", "description": "c", "pass_fail": "pending", "proof_type": "manual_qa"},
        {"criterion_id": "NFR-002", "description": "d", "pass_fail": "pass", "proof_type": "manual_qa"},
    ]
}


def test_criteria_that_no_reviewer_settles_are_told_with_the_command_for_each(place: Place) -> None:
    place.repo.commit("matrix", **{"kitty-specs/demo/acceptance-matrix.json": json.dumps(CRITERIA)})
    found = [one for one in place.obstacles("mission-4") if one.subject == "acceptance"]
    assert [one.blocks for one in found] == [False, False]
    assert "FR-002 (b) is named by no work package" in found[0].text
    assert "--mission demo --criterion FR-002 --result pass" in found[0].text
    assert "NFR-001 (c) wants a person's own look" in found[1].text
    assert place.obstacles("mission-4", Finish(accept=False)) == ()


@pytest.mark.parametrize(("begin", "word"), [("merge", "merge"), ("rebase", "rebase")])
def test_an_operation_of_git_that_was_begun_at_the_root_and_not_ended_is_named(
    place: Place, begin: str, word: str
) -> None:
    place.repo.git("branch", "other")
    place.repo.commit("ours", same="ours\n")
    place.repo.git("switch", "-q", "other")
    place.repo.commit("theirs", same="theirs\n")
    place.repo.git("switch", "-q", "work")
    place.repo.git(begin, "other", check=False)
    found = [one.text for one in place.obstacles() if one.blocks and f"{word} --abort" in one.text]
    assert len(found) == 1
    place.repo.git(word, "--abort")
    assert place.obstacles() == ()


def test_nothing_is_looked_for_where_only_the_end_is_left(place: Place, remote: GitRepo) -> None:
    place.repo.commit("attributes", **{".gitattributes": ATTRIBUTES})
    assert place.obstacles(lane="done") == ()


@pytest.mark.parametrize(("continues", "status"), [(False, ExitStatus.USAGE), (True, ExitStatus.PAUSED)])
def test_only_blockers_stop_a_run(place: Place, continues: bool, status: ExitStatus) -> None:
    place.repo.commit("attributes", **{".gitattributes": ATTRIBUTES})

    async def passed() -> tuple[str, ...]:
        check = await place.check("mission", Finish(), "planned")
        return await check.passed(continues=continues)

    assert "merge drivers" in "".join(asyncio.run(passed()))
    place.repo.write("kitty-specs/demo/meta.json", "{}")
    place.meta(topology="coord", target_branch="work")
    place.repo.commit("coord")
    with pytest.raises(NotReady, match="Nothing was started") as caught:
        asyncio.run(passed())
    assert caught.value.exit_status is status
