"""The first calls, of the contract and of the mission's state, keep to the retry table as all others do."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest
from kitty_run.engine.first_calls import HostPaused, repeated
from kitty_run.errors import ExitStatus, HostError
from kitty_run.host.client import SpecKitty
from kitty_run.host.detect import HostUnanswered, connect
from kitty_run.host.transport.start import RawReply
from kitty_run.profile.model import HostConfig

from tests.engine.profiles import shipped
from tests.git_repos import GitRepo
from tests.host.recordings import recorded
from tests.host.scripted import ScriptedStarter, refused, success

SOUND = {
    "contract-version": recorded("3.2.7", "contract-version.plain-outside-git"),
    "mission-state": recorded("3.2.7", "mission-state.fresh"),
}
NO_OPTION = recorded("3.2.7", "contract-version.json-flag-outside-git")
FAULTS = {
    "garbage": RawReply("{nonsense", "Traceback: it broke", 1, 0.1),
    "nothing": RawReply("", "", 1, 0.1),
    "nothing and success": RawReply("", "", 0, 0.1),
    "a list": RawReply("[1, 2]\n", "", 0, 0.1),
    "another object": RawReply(json.dumps({"weather": "fine"}), "", 0, 0.1),
    "no data": success(),
    "a wrong type": success(api_version=7.5, mission_slug=[], work_packages="none"),
    "hang": RawReply("", "", None, 120.0),
    "signal": RawReply("", "", -signal.SIGKILL, 0.1),
    "COMMAND_FAILED": refused("COMMAND_FAILED"),
    "SAFE_COMMIT_GENERIC": refused("SAFE_COMMIT_GENERIC"),
    "an unknown code": refused("A_CODE_OF_A_LATER_CONTRACT"),
}
ALWAYS = 10**6


class Asked:
    """Connections to a host whose call `asked` fails with `fault` so many times; waits take no time."""

    def __init__(self, repo: Path, asked: str, fault: RawReply, times: int) -> None:
        self.repo, self.asked, self.fault, self.left = repo, asked, fault, times
        self.waited: list[float] = []
        self.told: list[str] = []

    def answer(self, argv: tuple[str, ...]) -> RawReply:
        if argv[1] == self.asked and self.left:
            self.left -= 1
            return self.fault
        return SOUND.get(argv[1], NO_OPTION)

    def connect(self) -> SpecKitty:
        async def pause(seconds: float) -> None:
            self.waited.append(seconds)

        starter = ScriptedStarter(self.answer)
        config = HostConfig()
        return asyncio.run(
            repeated(
                lambda: connect(config, self.repo, "demo", starter, lambda _: None),
                shipped().retry,
                self.told.append,
                pause,
            )
        )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = GitRepo(tmp_path / "repo")
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main")
    repo.commit("start", **{"kitty-specs/demo/x": ""})
    return repo.path


@pytest.mark.parametrize("asked", ["contract-version", "mission-state"])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_that_comes_once_is_asked_again(repo: Path, asked: str, name: str) -> None:
    it = Asked(repo, asked, FAULTS[name], 1)
    assert it.connect().dialect == "mission"
    assert len(it.told) == len(it.waited) == 1
    assert "asked again" in it.told[0]


@pytest.mark.heavy
@pytest.mark.parametrize("asked", ["contract-version", "mission-state"])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_that_stays_pauses(repo: Path, asked: str, name: str) -> None:
    it = Asked(repo, asked, FAULTS[name], ALWAYS)
    with pytest.raises(HostPaused) as caught:
        it.connect()
    assert caught.value.exit_status is ExitStatus.PAUSED
    assert "run the same command again" in str(caught.value)
    assert sum(it.waited) <= 140


@pytest.mark.parametrize("code", ["CONTRACT_VERSION_MISMATCH", "STATUS_READ_PATH_NOT_FOUND"])
def test_what_can_not_succeed_is_not_asked_again(repo: Path, code: str) -> None:
    it = Asked(repo, "mission-state", refused(code), ALWAYS)
    with pytest.raises(HostUnanswered) as caught:
        it.connect()
    assert (caught.value.exit_status, it.waited) == (ExitStatus.HOST, [])


def test_a_contract_that_the_profile_does_not_want_is_not_asked_again(repo: Path) -> None:
    it = Asked(repo, "contract-version", success(api_version="9.0.0"), ALWAYS)
    with pytest.raises(HostError, match=r"keeps the contract 9\.0\.0") as caught:
        it.connect()
    assert (caught.value.exit_status, it.waited) == (ExitStatus.HOST, [])
