"""From a loaded profile to a running session: repository, lock, host, journal, memory, signals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kitty_run.engine.context import Board, Execution, Git, Run, Schedule, Services
from kitty_run.engine.decisions.circuit_breaker import Breakers
from kitty_run.engine.earlier_runs import cost_of_others, memory_of
from kitty_run.engine.first_calls import CallBook, repeated
from kitty_run.engine.kept_work import record_kept
from kitty_run.engine.killed_run import clear_lock, end_leftovers
from kitty_run.engine.root_checkout import RootCheckout, root_checkout, unknown_committer
from kitty_run.engine.run_header import as_yaml, header
from kitty_run.engine.scheduling.concurrency import Slots
from kitty_run.engine.scheduling.critical_path import sizes
from kitty_run.engine.session import Session
from kitty_run.engine.shutdown import signals
from kitty_run.engine.start_check import StartCheck
from kitty_run.engine.state.events import (
    Entry,
    GitRestored,
    Notice,
    RunResumed,
    RunStarted,
)
from kitty_run.engine.state.events.cleaned import cleaned
from kitty_run.engine.state.gate_answers import Asker
from kitty_run.engine.state.journal import Journal
from kitty_run.engine.state.own_state import claim
from kitty_run.engine.state.repository_lock import repository_lock
from kitty_run.engine.state.run_directory import home, new_run, run_place, runs, unfinished_run
from kitty_run.engine.state.run_state import Memory
from kitty_run.engine.state.session_report import Report
from kitty_run.engine.state.witness import outside_store, verify
from kitty_run.engine.work_clock import WorkClock
from kitty_run.errors import UsageError
from kitty_run.execution.executors import open_executor
from kitty_run.execution.guarded import GuardedExecutor
from kitty_run.execution.protocol import Executor, Site
from kitty_run.git.aside import Aside
from kitty_run.git.guard.guard import Guard, Restored, guarding
from kitty_run.git.guard.unusable import refuse_unusable
from kitty_run.git.repository import Repository
from kitty_run.git.workspaces.workspace import Workspace
from kitty_run.host.client import SpecKitty
from kitty_run.host.detect import connect
from kitty_run.host.repository import main_checkout
from kitty_run.host.transport.starters import watched_starter
from kitty_run.machine import fault_of
from kitty_run.profile.load import Loaded
from kitty_run.profile.model import Profile
from kitty_run.text.known import knowing

Show = Callable[[Entry], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and where; `repo` may be any directory inside the repository."""

    loaded: Loaded
    mission: str
    repo: Path
    assume_yes: bool = False
    asker: Asker | None = None


def launch(request: Request, show: Show) -> Report:
    """Run the mission in this process, calling `show` with every event.

    Raises a `KittyRunError` where nothing could be started, and `JournalError` where the journal fails.
    """
    try:
        with _waiting_by_descriptor():
            return asyncio.run(_launch(request, show))
    except OSError as error:
        if fault := fault_of(error, request.repo):
            raise fault from error
        raise


@contextmanager
def _waiting_by_descriptor() -> Iterator[None]:
    """Wait for processes without a thread for each, as Python does by itself from 3.12 on.

    The watcher belongs to one event loop, so that it is put back: it would lose what other loops wait for.
    """
    if sys.version_info >= (3, 12) or not hasattr(os, "pidfd_open"):
        yield
        return
    before = asyncio.get_child_watcher()
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    try:
        yield
    finally:
        asyncio.set_child_watcher(before)


async def _launch(request: Request, show: Show) -> Report:
    repo = await main_checkout(request.repo)
    profile = request.loaded.profile
    executor = await open_executor(profile.executor, _site(repo))
    try:
        await _check_fitness(executor, profile)
        notices = await claim(repo)
        own = knowing(places=(repo, request.mission))
        with own, repository_lock(home(repo) / "lock", request.mission):
            guard = Guard(repo, await asyncio.to_thread(outside_store, repo))
            with guarding(guard):
                await guard.recover()
                await refuse_unusable(repo)
                guarded = GuardedExecutor(executor, guard)
                return await _connected(request, repo, guarded, guard, show, notices)
    finally:
        await executor.close()


async def _connected(  # noqa: PLR0913, PLR0917 - what was opened before the host
    request: Request, repo: Path, executor: Executor, guard: Guard, show: Show, notices: Sequence[str]
) -> Report:
    profile, calls, repeats = request.loaded.profile, CallBook(), list[str]()
    identity, unknown = await unknown_committer(repo)
    notices = (*notices, unknown) if unknown else notices
    doorman = watched_starter(profile.host, identity, guard.check)

    def repeat(text: str) -> None:
        repeats.append(text)
        show(Entry(datetime.now(UTC), cleaned(Notice(text))))

    try:
        host = await repeated(
            lambda: connect(profile.host, repo, request.mission, doorman, calls), profile.retry, repeat
        )
        if repeats:
            repeated_calls = f"the first calls were repeated ({len(repeats)}); the last time: {repeats[-1]}"
            notices = (*notices, repeated_calls)
        return await _session(request, repo, host, executor, guard, calls, show, notices)
    finally:
        await doorman.close()


def _site(repo: Path) -> Site:
    return Site(repo, lambda run: run_place(repo, run), lambda: datetime.now(UTC), os.environ)


async def _check_fitness(executor: Executor, profile: Profile) -> None:
    """Refuse a profile whose agents can't run where its executor is; raises `UsageError`."""
    names = {name for role in profile.roles.values() for name in role.agents}
    reason = await executor.unfit([profile.agents[name] for name in sorted(names)], profile.policy)
    if reason is not None:
        advice = "make it run, or choose a policy that these agents keep themselves"
        raise UsageError(f"{reason}. Nothing was started: {advice}.")
    if lacking := await executor.lacking(profile.workspace):
        raise UsageError(f"workspace.copy: {lacking}. Nothing was started")


async def _session(  # noqa: PLR0913, PLR0917 - what came before the journal, and is written into it
    request: Request,
    repo: Path,
    host: SpecKitty,
    executor: Executor,
    guard: Guard,
    calls: CallBook,
    show: Show,
    notices: Sequence[str],
) -> Report:
    state = await host.state()
    witness = await asyncio.to_thread(verify, repo)
    known = unfinished_run(runs(repo), state.mission)
    root = await root_checkout(host, request.loaded.profile.finish, repo, state.mission)
    check = StartCheck(host, root, request.loaded.profile.finish, state)
    warnings = await check.passed(continues=known is not None)
    place = known or new_run(repo)
    place.write_profile(as_yaml(request.loaded.document()))
    chain, memory = witness.chain(place), Memory()
    clock = WorkClock()
    journal = Journal(place.journal, keep=None if chain is None else chain.append, clock=clock)
    try:
        entries = journal.open()
        for entry in entries:
            memory.apply(entry)
        cleared = await clear_lock(repo, entries)
        journal.observe(memory.apply)
        journal.show(show)
        begins = RunResumed if known else RunStarted
        journal.write(header(begins, request.loaded.profile, host, state))
        untested = (host.untested,) if host.untested else ()
        for text in (*notices, *untested, *warnings, *witness.notices, *cleared):
            journal.write(Notice(text))
        _name_damage(journal)
        calls.attach(journal)
        guard.attach(partial(_record_restored, journal))
        await end_leftovers(journal, memory, repo, executor)
        await guard.recovered()
        profile, measured = request.loaded.profile, await asyncio.to_thread(sizes, host, state.work_packages)
        board = Board.of(state, host.criteria())
        earlier = await asyncio.to_thread(memory_of, runs(repo), state.mission, but=place)
        others = await asyncio.to_thread(cost_of_others, profile.limits, repo, place.id, datetime.now(UTC))
        run = Run(profile, board, journal, memory, place, repo, clock=clock, earlier=earlier, others=others)
        session = Session(_services(request, run, host, root, executor, measured))
        with signals(session.interrupt, session.end_now):
            return await session.run()
    finally:
        journal.close()
        if chain is not None:
            chain.close()


def _git(run: Run, host: SpecKitty) -> Git:
    on_kept, mission = partial(record_kept, run.journal), run.board.mission
    return Git(
        Repository(run.repo, on_kept, host.traits.records_of(mission)),
        lambda path, wp: Workspace(path, run.repo, Aside(mission, wp, on_kept), run.profile.workspace.copy),
    )


def _services(  # noqa: PLR0913, PLR0917 - what is put together
    request: Request,
    run: Run,
    host: SpecKitty,
    root: RootCheckout,
    executor: Executor,
    measured: Mapping[str, float],
) -> Services:
    """The parts of a run, put together in one place; `measured` is how large work packages are."""
    slots = Slots(run.profile.concurrency)
    return Services(
        run=run,
        host=host,
        root=root,
        git=_git(run, host),
        execution=Execution(executor, slots, Breakers(run.memory, run.profile.retry)),
        schedule=Schedule(slots, sizes=measured),
        assume_yes=request.assume_yes,
        asker=request.asker,
    )


def _record_restored(journal: Journal, restored: Restored) -> None:
    kept = None if restored.kept is None else str(restored.kept)
    journal.write(GitRestored(restored.changed, restored.during, kept))


def _name_damage(journal: Journal) -> None:
    """Say which lines of the journal were left out: what they said is not known any more."""
    for line in journal.damaged:
        journal.write(Notice(f"{line}. What it recorded is forgotten: the host and git decide instead"))
