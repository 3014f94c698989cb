"""Which dialect a host speaks, found by asking it: its contract version, then the state that the run needs.

A contract version alone does not decide (1.0.0 covers three generations), a package version is never asked
for. Every dialect file names a call that only its generation answers; a host that does not understand a
command line ends with exit status 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kitty_run.errors import HostError, UsageError
from kitty_run.host import envelope, replies
from kitty_run.host.client import CallRecord, Connection, Observer, SpecKitty
from kitty_run.host.dialect import Dialect, Refused
from kitty_run.host.dialect_files import load_all, named
from kitty_run.host.model import HostRefused, MissionState
from kitty_run.host.repository import main_checkout, unknown_mission
from kitty_run.host.template import render
from kitty_run.host.transport.import_fault import import_fault
from kitty_run.host.transport.start import Preparable, RawReply, Starter
from kitty_run.profile.model import HostConfig


class HostUnanswered(HostError):
    """A first call failed with a code (see `HostRefused`), by which it may be repeated."""

    def __init__(self, message: str, refused: HostRefused) -> None:
        super().__init__(message)
        self.refused = refused
        self.code = refused.code


CONTRACT_VERSION = ("orchestrator-api", "contract-version")
"""Understood by every generation, in any directory; `--json` is not, so it is never sent."""

ELSEWHERE = frozenset({2, 126, 127})
"""Exit statuses without a reply that no crash ends with: another program, or a wrapper that starts none."""

NO_MISSION = "no-mission"
"""A slug that a host is asked for only to see whether it understands the question."""


async def connect(
    config: HostConfig, repo: Path, mission: str, starter: Starter, observer: Observer
) -> SpecKitty:
    """The door to `mission` in the repository that `repo` lies in.

    Two calls on a supported host. Raises `HostUnanswered` where a call failed, `HostError` where the host is
    missing, or of a generation or contract that is not supported; `UsageError` for no git repository or no
    such mission. The caller closes `starter`, whatever happens.
    """
    repo = await main_checkout(repo)
    asked = _Asking(config, repo, mission, starter, observer)
    contract = await asked.contract()
    dialect, reply = await asked.dialect(contract, _candidates(config, contract))
    untested = asked.untested(contract, dialect)
    state = _first_state(dialect, reply, repo, mission)
    _refuse_topology(dialect, repo, state.mission)
    if isinstance(starter, Preparable):
        await starter.prepare(dialect.commands, repo, config.timeout)
    connection = Connection(
        dialect=dialect,
        contract=str(contract),
        repo=repo,
        mission=state.mission,
        actor=config.actor,
        timeout=config.timeout,
        starter=starter,
        observer=observer,
        origin_check=config.origin_check,
        untested=untested,
    )
    return SpecKitty(connection, first=state)


async def identify(
    config: HostConfig, repo: Path, starter: Starter, observer: Observer
) -> tuple[str, Dialect, str | None]:
    """The contract version and the dialect of a host, and why no mission was seen to finish on it, if so.

    It is asked for a mission that there is not.

    Raises `HostError` as `connect` does.
    """
    asked = _Asking(config, repo, NO_MISSION, starter, observer)
    contract = await asked.contract()
    dialect, _ = await asked.dialect(contract, _candidates(config, contract))
    return str(contract), dialect, asked.untested(contract, dialect)


@dataclass
class _Asking:
    """The questions that find out what a host is; equal ones are asked once."""

    config: HostConfig
    repo: Path
    mission: str
    starter: Starter
    observer: Observer
    replies: dict[tuple[str, ...], RawReply] = field(default_factory=dict)

    async def contract(self) -> Version:
        """The contract version; `HostError` if there is none, or none that the profile accepts."""
        try:
            data = envelope.data_of(await self._ask("contract", CONTRACT_VERSION), "contract")
        except HostRefused as refused:
            raise self._unanswered(f"did not say which contract it keeps: {refused}", refused) from refused
        said = data.get("api_version")
        try:
            found = Version(said if isinstance(said, str) else "")
        except InvalidVersion:
            what = f"reported the invalid contract version {said!r}"
            senseless = HostRefused(envelope.UNREADABLE, "contract", what, data)
            raise self._unanswered(what, senseless) from None
        if not _range(self.config.contract).contains(found, prereleases=True):
            raise self._failure(
                f"keeps the contract {found}, but host.contract asks for {self.config.contract}"
            )
        return found

    async def dialect(
        self, contract: Version, candidates: Sequence[Dialect | Refused]
    ) -> tuple[Dialect, RawReply]:
        """The candidate whose probe the host understands, with the reply to it."""
        for candidate in candidates:
            reply = await self._ask("state", render(candidate.probe, {"mission": self.mission}))
            if envelope.not_understood(reply):
                continue
            if isinstance(candidate, Dialect):
                return candidate, reply
            raise self._failure(
                f"is {candidate.title} (contract {contract}), which is not supported: {candidate.because}. "
                f"Install one that works: {candidate.install}"
            )
        tried = ", ".join(candidate.title for candidate in candidates)
        raise self._failure(f"keeps the contract {contract}, but understands no state call of: {tried}")

    def untested(self, contract: Version, dialect: Dialect) -> str | None:
        """Why no mission was seen to finish on a host of `contract`, where the profile tries all the same.

        Raises `HostError` where it does not; None where one was.
        """
        tested = dialect.tested
        if _range(tested.contract).contains(contract, prereleases=True):
            return None
        what = (
            f"keeps the contract {contract}, which kitty-run has not been seen to finish a mission on; the "
            f"newest host of {dialect.title} that it has is {tested.host} (contract {tested.contract})"
        )
        if self.config.untested:
            return self._named(f"{what}. It is tried all the same, since the profile says host.untested")
        raise self._failure(
            f"{what}. Nothing was started. Install that one: {dialect.install}. To try all the same: "
            "`host: {untested: true}` in the profile"
        )

    async def _ask(self, name: str, argv: tuple[str, ...]) -> RawReply:
        if argv not in self.replies:
            try:
                reply = await self.starter.call(argv, self.repo, self.config.timeout)
            except HostRefused as refused:  # the call was not made
                raise self._unanswered(f"was not asked: {refused}", refused) from refused
            code = _code(reply, name)
            self.observer(CallRecord(name, None, code, reply.seconds))
            self._refuse_unfit(name, reply, code)
            self.replies[argv] = reply
        return self.replies[argv]

    def _refuse_unfit(self, name: str, reply: RawReply, code: str | None) -> None:
        """Raise `HostError` where no repetition helps: it can't be imported, or is another program."""
        if code == envelope.UNREADABLE and (fault := import_fault(reply.stderr)):
            raise self._failure(f"crashes as it starts: {fault}. Nothing was started: fix it, then run again")
        if name == "contract" and _is_another_program(reply):
            words = f"exit status {reply.status}: {envelope.last_words(reply)}"
            raise self._failure(
                f"does not answer as a spec-kitty does ({words}). Is it one? Name the command of yours in "
                "host.command; where a wrapper starts it, what that starts must be there"
            )

    def _failure(self, what: str) -> HostError:
        return HostError(self._named(what))

    def _unanswered(self, what: str, refused: HostRefused) -> HostUnanswered:
        return HostUnanswered(self._named(what), refused)

    def _named(self, what: str) -> str:
        return f"the host `{' '.join(self.config.command)}` {what}"


def _candidates(config: HostConfig, contract: Version) -> list[Dialect | Refused]:
    """The dialects that `contract` allows, supported ones first; only the one the profile names, if any."""
    known = sorted(load_all(), key=lambda dialect: isinstance(dialect, Refused))
    fitting = [dialect for dialect in known if _range(dialect.contract).contains(contract, prereleases=True)]
    if config.dialect == "auto":
        chosen = fitting
    else:
        chosen = [dialect for dialect in fitting if dialect.name == named(config.dialect).name]
    if not chosen:
        names = ", ".join(f"{dialect.name} ({dialect.contract})" for dialect in known if _supported(dialect))
        raise HostError(
            f"the host keeps the contract {contract}, which host.dialect {config.dialect!r} does not cover; "
            f"the dialects are: {names}"
        )
    return chosen


def _supported(dialect: Dialect | Refused) -> bool:
    return isinstance(dialect, Dialect)


def _first_state(dialect: Dialect, reply: RawReply, repo: Path, mission: str) -> MissionState:
    try:
        return replies.mission_state(envelope.data_of(reply, "state"), dialect)
    except HostRefused as refused:
        if refused.code in dialect.not_found:
            raise unknown_mission(repo, mission) from refused
        text = f"the host cannot show the mission {mission!r}: {refused}"
        raise HostUnanswered(text, refused) from refused


def _refuse_topology(dialect: Dialect, repo: Path, mission: str) -> None:
    topology = dialect.topology(repo, mission)
    if topology.refused:
        raise HostError(
            f"the mission {mission!r} has the topology {topology.name} on {dialect.title}: "
            f"{topology.refused}. Nothing was started."
        )


def _is_another_program(reply: RawReply) -> bool:
    """Whether what answered is no host: a host's fault that comes once ends otherwise, or says nothing."""
    if envelope.envelope_of(reply.stdout) is not None:
        return False
    said = reply.stdout.strip()
    return reply.status in ELSEWHERE or (reply.status == 0 and bool(said) and said[0] not in "[{")


def _code(reply: RawReply, name: str) -> str | None:
    if envelope.not_understood(reply):
        return "USAGE_ERROR"
    try:
        envelope.data_of(reply, name)
    except HostRefused as refused:
        return refused.code
    return None


def _range(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise UsageError(f"host.contract: {text!r} is no range of versions, such as '>=1.0,<2'") from error
