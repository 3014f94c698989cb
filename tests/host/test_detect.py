"""The dialect is found by asking the host; what is not supported is refused with what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from kitty_run.errors import ExitStatus, HostError, KittyRunError, UsageError
from kitty_run.host.client import CallRecord, SpecKitty
from kitty_run.host.detect import HostUnanswered, connect
from kitty_run.host.repository import main_checkout
from kitty_run.host.transport.cold import ColdStarter
from kitty_run.host.transport.start import RawReply
from kitty_run.profile.model import HostConfig

from tests.git_repos import GitRepo
from tests.host.recordings import recorded
from tests.host.scripted import ScriptedStarter, success

Script = Mapping[str, RawReply]

NO_COMMAND_103 = recorded("1.0.3", "mission-state.usage-no-such-command-PROSE")
NO_OPTION = recorded("3.2.7", "contract-version.json-flag-outside-git")

HOST_103 = {
    "contract-version": recorded("1.0.3", "contract-version.plain-outside-git"),
    "feature-state --feature demo --json": recorded("1.0.3", "feature-state.fresh"),
    "feature-state --feature demo": recorded("1.0.3", "feature-state.fresh"),
}
HOST_2 = {
    "contract-version": recorded("1.0.3", "contract-version.plain-outside-git"),
    "feature-state --feature demo": recorded("1.0.3", "feature-state.fresh"),
}
HOST_3110 = {
    "contract-version": recorded("3.1.10", "contract-version.plain-outside-git"),
    "mission-state --mission demo": recorded("3.1.10", "mission-state.fresh"),
}
HOST_327 = {
    "contract-version": recorded("3.2.7", "contract-version.plain-outside-git"),
    "mission-state --mission demo": recorded("3.2.7", "mission-state.fresh"),
}
HOST_400 = {
    "contract-version": recorded("4.0.0rc7", "contract-version.plain-outside-git"),
    "mission-state --mission demo": recorded("4.0.0rc7", "mission-state.fresh"),
}
NAMED_400 = json.loads(HOST_400["mission-state --mission demo"].stdout)["data"]["mission_slug"]


class Asked:
    """A connection attempt on a host that answers from `script`, and everything else as not understood."""

    def __init__(self, repo: Path, script: Script, otherwise: RawReply = NO_OPTION, **config: object) -> None:
        self.starter = ScriptedStarter(lambda argv: script.get(" ".join(argv[1:]), otherwise))
        self.records: list[CallRecord] = []
        self.repo = repo
        self.config = HostConfig(**config)  # type: ignore[arg-type]

    def connect(self) -> SpecKitty:
        return asyncio.run(connect(self.config, self.repo, "demo", self.starter, self.records.append))

    def error(self) -> KittyRunError:
        with pytest.raises(KittyRunError) as caught:
            self.connect()
        return caught.value


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = GitRepo(tmp_path / "repo")
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main")
    repo.commit("start", **{"kitty-specs/034-payment/x": "", "kitty-specs/035-refund/x": ""})
    lanes = repo.path / "kitty-specs" / NAMED_400
    lanes.mkdir()
    (lanes / "meta.json").write_text('{"topology": "lanes"}')
    return repo.path


@pytest.mark.parametrize(
    ("script", "otherwise", "dialect", "contract"),
    [
        (HOST_103, NO_COMMAND_103, "feature", "1.0.0"),
        (HOST_327, NO_OPTION, "mission", "1.5.0"),
        (HOST_400, NO_OPTION, "mission-4", "1.16.0"),
    ],
)
def test_a_supported_host_takes_two_calls(
    repo: Path, script: Script, otherwise: RawReply, dialect: str, contract: str
) -> None:
    asked = Asked(repo, script, otherwise)
    client = asked.connect()
    state = asyncio.run(client.state())
    assert (client.dialect, client.contract, client.untested) == (dialect, contract, None)
    assert [wp.id for wp in state.work_packages] == ["WP01", "WP02", "WP03"]
    assert [record.operation for record in asked.records] == ["contract", "state"]
    assert len(asked.starter.calls) == 2


@pytest.mark.parametrize("script", [HOST_103, HOST_2, HOST_3110, HOST_327, HOST_400])
def test_the_first_question_is_understood_by_every_generation(repo: Path, script: Script) -> None:
    asked = Asked(repo, script)
    with suppress(HostError):
        asked.connect()
    assert asked.starter.calls[0] == ("orchestrator-api", "contract-version")


@pytest.mark.parametrize(
    ("script", "words"), [(HOST_2, "generation 2.1 to 3.0"), (HOST_3110, "generation 3.1 to 3.2.0")]
)
def test_a_generation_between_is_refused_with_what_to_install(repo: Path, script: Script, words: str) -> None:
    error = Asked(repo, script).error()
    assert error.exit_status is ExitStatus.HOST
    assert words in str(error)
    assert "pip install 'spec-kitty-cli>=3.2.7,<3.3'" in str(error)


def of_contract(version: str) -> Script:
    """A host of the generation with `--mission` that keeps the contract `version`."""
    return {**HOST_400, "contract-version": success(api_version=version)}


@pytest.mark.parametrize(
    ("contract", "words", "install"),
    [
        ("1.2.0", "generation 3.2.1 to 3.2.5", "spec-kitty-cli>=3.2.7,<3.3"),
        ("1.3.0", "the newest host of spec-kitty 3.2 that it has is 3.2.7", "spec-kitty-cli>=3.2.7,<3.3"),
        ("1.6.0", "a pre-release of spec-kitty 4", "spec-kitty-cli==4.0.0rc7"),
        ("1.17.0", "the newest host of spec-kitty 4 that it has is 4.0.0rc7", "spec-kitty-cli==4.0.0rc7"),
    ],
)
def test_a_contract_that_no_mission_was_finished_on_is_refused_with_what_to_install(
    repo: Path, contract: str, words: str, install: str
) -> None:
    error = Asked(repo, of_contract(contract)).error()
    assert error.exit_status is ExitStatus.HOST
    assert contract in str(error)
    assert words in str(error)
    assert f"pip install '{install}'" in str(error)


def test_an_untested_contract_is_tried_where_the_profile_says_so_and_named(repo: Path) -> None:
    client = Asked(repo, of_contract("1.17.0"), untested=True).connect()
    assert client.dialect == "mission-4"
    assert client.untested is not None
    assert "1.17.0" in client.untested
    with pytest.raises(HostError, match="pre-release"):
        Asked(repo, of_contract("1.6.0"), untested=True).connect()


@pytest.mark.parametrize("meta", ['{"topology": "of_a_later_host"}', "{}"])
def test_a_topology_that_no_mission_was_finished_on_is_refused(repo: Path, meta: str) -> None:
    (repo / "kitty-specs" / NAMED_400 / "meta.json").write_text(meta)
    error = Asked(repo, HOST_400).error()
    assert error.exit_status is ExitStatus.HOST
    assert "Nothing was started" in str(error)


def test_the_mission_s_own_name_is_taken_from_the_host(repo: Path) -> None:
    assert Asked(repo, HOST_327).connect().connection.mission == "099-bench"


@pytest.mark.parametrize(
    ("script", "contract"), [(HOST_103, ">=1.1,<2"), (HOST_327, ">=1.0,<1.5"), (HOST_327, "==2.*")]
)
def test_a_contract_out_of_range_names_what_was_found_and_wanted(
    repo: Path, script: Script, contract: str
) -> None:
    error = Asked(repo, script, contract=contract).error()
    assert error.exit_status is ExitStatus.HOST
    assert contract in str(error)
    assert ("1.0.0" if script is HOST_103 else "1.5.0") in str(error)


def test_a_contract_that_no_dialect_covers_is_refused(repo: Path) -> None:
    error = Asked(repo, {"contract-version": success(api_version="2.0.0")}, contract=">=1").error()
    assert "keeps the contract 2.0.0" in str(error)
    assert "mission (>=1.3,<1.6)" in str(error)


@pytest.mark.parametrize("version", [None, "", "banana", 1.5, ["1.5.0"], {"is": "1.5.0"}, "1.5.0.\n"])
def test_a_contract_version_that_is_none_is_refused(repo: Path, version: object) -> None:
    for reply in (success(api_version=version), success()):
        error = Asked(repo, {**HOST_327, "contract-version": reply}).error()
        assert error.exit_status is ExitStatus.HOST
        assert "invalid contract version" in str(error)


def test_fields_that_nobody_knows_in_the_contract_reply_do_no_harm(repo: Path) -> None:
    more = success(
        api_version="1.5.0", delivery_profile={"limits": [1]}, api_version_next="2.0.0", later=None
    )
    assert Asked(repo, {**HOST_327, "contract-version": more}).connect().contract == "1.5.0"


@pytest.mark.parametrize("status", [0, 2, 126, 127])
def test_a_program_that_is_no_spec_kitty_is_not_asked_again(repo: Path, status: int) -> None:
    asked = Asked(repo, {"contract-version": RawReply("hello\n", "", status, 0.1)})
    error = asked.error()
    assert not isinstance(error, HostUnanswered)
    assert "does not answer as a spec-kitty does" in str(error)
    assert "hello" in str(error)
    assert len(asked.starter.calls) == 1


def test_a_dialect_that_the_profile_names_is_kept_to(repo: Path) -> None:
    assert Asked(repo, HOST_103, dialect="feature").connect().dialect == "feature"
    error = Asked(repo, HOST_103, dialect="mission").error()
    assert "host.dialect 'mission'" in str(error)
    assert Asked(repo, HOST_103, dialect="klingon").error().exit_status is ExitStatus.USAGE


def test_a_crashed_host_is_quoted_and_may_be_asked_again(repo: Path) -> None:
    broken = RawReply("", "Traceback (most recent call last):\nKeyError: 'a'\n", 1, 0.5)
    error = Asked(repo, {"contract-version": broken}).error()
    assert isinstance(error, HostUnanswered)
    assert error.exit_status is ExitStatus.HOST
    assert "KeyError: 'a'" in str(error)


@pytest.mark.parametrize("call", ["contract-version", "mission-state --mission demo"])
def test_a_host_that_cannot_be_imported_is_not_asked_again(repo: Path, call: str) -> None:
    broken = recorded("broken-host", "contract-version.import-traceback-3.2.0")
    error = Asked(repo, {**HOST_327, call: broken}).error()
    assert not isinstance(error, HostUnanswered)
    assert error.exit_status is ExitStatus.HOST
    assert "crashes as it starts: typer._click.exceptions" in str(error)
    assert "Nothing was started" in str(error)


def test_a_host_that_hangs_is_a_host_error(repo: Path) -> None:
    error = Asked(repo, {"contract-version": RawReply("", "", None, 120.0)}).error()
    assert error.exit_status is ExitStatus.HOST
    assert "120 s" in str(error)


def test_a_state_that_makes_no_sense_is_a_host_error(repo: Path) -> None:
    odd = {**HOST_327, "mission-state --mission demo": success(mission_slug="demo")}
    assert Asked(repo, odd).error().exit_status is ExitStatus.HOST


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        (HOST_103 | {"feature-state --feature demo --json": "FEATURE_NOT_FOUND"}, "1.0.3"),
        (HOST_327 | {"mission-state --mission demo": "MISSION_NOT_FOUND"}, "3.2.7"),
    ],
)
def test_an_unknown_mission_lists_those_there_are(repo: Path, script: Script, reply: str) -> None:
    kind = "feature" if reply == "1.0.3" else "mission"
    missing = recorded(reply, f"{kind}-state.{kind.upper()}_NOT_FOUND")
    script = {name: missing if isinstance(found, str) else found for name, found in script.items()}
    error = Asked(repo, script).error()
    assert isinstance(error, UsageError)
    assert "there are: 034-payment, 035-refund" in str(error)


def test_no_git_repository_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        asked = Asked(place, HOST_327)
        assert asked.error().exit_status is ExitStatus.USAGE
        assert asked.starter.calls == []


def test_a_bare_repository_is_no_place_to_work(tmp_path: Path) -> None:
    GitRepo(tmp_path).git("init", "-q", "--bare")
    assert "without a checkout" in str(Asked(tmp_path, HOST_327).error())


def test_a_linked_worktree_leads_to_the_main_checkout(repo: Path, tmp_path: Path) -> None:
    GitRepo(repo).git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    assert Asked(tmp_path / "linked", HOST_327).connect().connection.repo == repo.resolve()


def test_the_repository_that_git_calls_a_hook_in_does_not_lead_astray(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    assert asyncio.run(main_checkout(repo)) == repo.resolve()


def test_a_host_that_is_not_installed_says_how_to(repo: Path) -> None:
    config = HostConfig(command=("no-such-spec-kitty",))
    starter = ColdStarter(config.command, {"PATH": "/nowhere"})
    with pytest.raises(HostError, match="install"):
        asyncio.run(connect(config, repo, "demo", starter, lambda record: None))
