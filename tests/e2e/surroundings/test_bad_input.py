"""Bad surroundings, each said clearly: nothing started that can't be finished, nothing lost, no loop."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MakePlace
from tests.e2e.simulated_project import WRITE, run, start
from tests.hosts import BETWEEN_HOST, RealHost


@pytest.mark.whole
def test_a_sound_place_runs_to_its_end(make: MakePlace) -> None:
    place = make(WP01=[], WP02=["WP01"])
    status, text = place.run()
    assert status == 0, text
    assert place.repo.git("show", "work:WP02.txt") == "work"


@pytest.mark.whole
def test_noise_and_a_second_object_before_the_reply_do_no_harm(make: MakePlace) -> None:
    place = make(WP01=[])
    place.host("two-objects")
    assert place.run()[0] == 0


@pytest.mark.whole
def test_a_host_that_crashes_at_the_first_call_of_each_kind_is_asked_again(
    make: MakePlace,
) -> None:
    place = make(WP01=[])
    place.host("crash-at-first")
    quick = {"do": "retry", "attempts": 2, "backoff": {"initial": "10ms"}, "then": "pause"}
    place.profile["retry"] = {"host": {"HOST_UNREADABLE": quick}}
    status, text = place.run()
    assert status == 0, text
    assert "did not say which contract it keeps" in text
    assert "the first calls were repeated (2)" in text


@pytest.mark.whole
@pytest.mark.parametrize(
    ("way", "status", "words"),
    [
        ("contract-9", 3, ["keeps the contract 9.0.0", "host.contract"]),
        ("prose", 3, ["claim", "printed no JSON", "Everything went well"]),
        ("crash", 3, ["claim", "exit status 1", "it broke"]),
        ("hang", 3, ["claim", "gave no reply within 5 s"]),
        ("outside", 3, ["claim", "outside the repository: /usr"]),
    ],
)
def test_a_strange_host_ends_the_run_and_is_quoted(
    make: MakePlace, way: str, status: int, words: Sequence[str]
) -> None:
    place = make(WP01=[])
    place.host(way, timeout="5s" if way == "hang" else "60s")
    quick = {"do": "retry", "attempts": 1, "backoff": {"initial": "10ms"}, "then": "abort"}
    place.profile["retry"] = {"host": {"HOST_TIMEOUT": quick, "HOST_UNREADABLE": quick}}
    found, text = place.run()
    assert found == status, text
    assert all(word in text for word in words), text
    assert "Traceback (most recent" not in text


def test_a_host_that_is_not_installed(make: MakePlace) -> None:
    place = make(WP01=[])
    place.profile["host"] = {"command": ["no-such-spec-kitty"]}
    status, text = place.run()
    assert (status, "no-such-spec-kitty" in text) == (3, True), text
    assert not list(place.repo.path.glob(".kitty-run/runs/*"))


def test_no_repository_and_an_unknown_mission(make: MakePlace, tmp_path: Path) -> None:
    place = make(WP01=[])
    (tmp_path / "empty").mkdir()
    status, text = place.run("--repo", str(tmp_path / "empty"))
    assert (status, "is not in a git repository" in text) == (2, True), text
    status, text = place.run("--mission", "mm")
    assert status == 2, text
    assert "'mm'" in text
    assert "m" in text.rpartition("there are")[2] or "missions" in text


UPGRADE = """
import os, pathlib
script = pathlib.Path({script!r})
text = script.read_text()
script.unlink()  # as installers do
script.write_text(text + "# a later version\\n")
script.chmod(0o755)
"""


@pytest.mark.whole
@pytest.mark.parametrize("way", ["warm", "cold"])
def test_a_host_that_is_upgraded_during_a_run_pauses_it_and_the_same_command_continues(
    make: MakePlace, way: str
) -> None:
    place = make(WP01=[], WP02=["WP01"])
    (script,) = place.profile["host"]["command"]
    place.profile["host"]["start"] = way
    place.profile["agents"]["imp"]["command"][-1] = WRITE + UPGRADE.format(script=script)
    status, text = place.run()
    assert status == 4, text
    assert "the host was changed during the run" in text
    assert script in text
    place.profile["agents"]["imp"]["command"][-1] = WRITE
    status, text = place.run()
    assert status == 0, text
    assert place.repo.git("show", "work:WP02.txt") == "work"


@pytest.mark.whole
def test_a_dependency_that_does_not_exist_is_named(make: MakePlace) -> None:
    place = make(WP01=[], WP02=["WP07"])
    status, text = place.run()
    assert status == 1, text
    assert "WP02" in text
    assert "WP07" in text


def test_a_cycle_and_what_never_becomes_ready_end_the_run(make: MakePlace) -> None:
    place = make(WP01=["WP02"], WP02=["WP01"])
    status, text = place.run()
    assert status == 1, text
    assert "dependency cycle" in text


@pytest.mark.whole
def test_a_full_disk_is_said_and_gone_on_from(make: MakePlace) -> None:
    place = make(WP01=[], WP02=["WP01"])

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    status, text = start(*place.words(), before=small_files)
    assert status not in {0, 2, 3}, text
    assert "can't be written" in text, text
    assert "unexpected" not in text, text
    status, text = place.run()
    assert status == 0, text


@pytest.mark.real_host
def test_a_generation_between_is_refused(make: MakePlace, real_host: Callable[[str], RealHost]) -> None:
    place = make(WP01=[])
    host = real_host(BETWEEN_HOST)
    place.profile["host"] = {"command": [str(host.script)]}
    status, text = place.run()
    assert status == 3, text
    assert "3.1" in text
    assert "pip install" in text
    assert not list(place.repo.path.glob(".kitty-run/runs/*"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"- a\n- b\n", ["list"]),
        (b"version: 1\n# " + b"x" * (2 << 20) + b"\n", ["1 MiB"]),
        (b"version: 1\nname: \xff\xfe\n", ["UTF-8"]),
        (b"version: 1\nname: a\nname: b\n", [":3:", "name"]),
        (b"version: 1\nnmae: a\n", [":2:", "nmae", "name"]),
        (b"version: 1\nname: [1]\n", [":2:", "/name"]),
    ],
)
def test_a_profile_that_is_none(tmp_path: Path, content: bytes, words: Sequence[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    status, text = run(file, "--mission", "m", cwd=tmp_path)
    assert status == 2, text
    assert all(word in text for word in words), text
    assert str(file) in text or "p.yaml" in text
    assert not (tmp_path / ".kitty-run").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {
                "roles": {
                    "implement": {"agents": ["imp"], "prompt": "{{ nobody }}"},
                    "review": {"agents": ["rev"]},
                }
            },
            ["nobody"],
        ),
        ({"retry": {"agent": {"ratelimited": {"do": "retry"}}}}, ["ratelimited", "rate_limited"]),
        ({"retry": {"review": {"approved": {"do": "retry"}}}}, ["approved"]),
        ({"concurrency": {"work_packages": "many"}}, ["/concurrency/work_packages"]),
        ({"policy": {"sandbox_mode": "read_only"}}, ["sandbox_mode", "imp"]),
    ],
)
def test_a_profile_with_one_mistake(make: MakePlace, change: dict[str, Any], words: Sequence[str]) -> None:
    place = make(WP01=[])
    place.profile |= change
    status, text = place.run()
    assert status == 2, text
    assert all(word in text for word in words), text
    assert not (place.repo.path / ".kitty-run").exists()
