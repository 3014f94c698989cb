"""The processes of one attempt: finding all of them, also those that left its group, and ending them.

A process belongs to an attempt when it is its root, is in the root's session or group, descends from a
process that does (also if that was seen only earlier), or carries the attempt's marker in its environment.
A process is never known by its pid alone, so that a reused pid is never signalled.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psutil

from kitty_run.agents.model import Started
from kitty_run.process_identity import identity

T = TypeVar("T")

MARKER = "KITTY_RUN_ATTEMPT"
"""The environment variable that carries an attempt's marker."""

CLOCK_SLACK = 1.5
"""Seconds by which a recorded start time may differ from a later reading: both come from the wall clock."""

SCAN_SHARE = 50
"""Between two routine scans lies at least so many times what one takes: 2 % of a core at most."""

KILL_PATIENCE = 5.0
"""Seconds to wait for processes to vanish after SIGKILL; what outlives it hangs in the kernel."""

POLL = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """One live process of the table; `marker` is None where there is none or it can't be read.

    `process` is its identity: two are equal if pid and start are (unlike `created`, in epoch
    seconds, the comparison doesn't suffer when the wall clock is set).
    """

    process: psutil.Process
    created: float
    parent: int
    group: int
    session: int
    marker: str | None


Table = Mapping[int, Entry]


def scan() -> Table:
    """All live processes (no zombies) by pid; blocks for some milliseconds."""
    entries = (_entry(pid) for pid in psutil.pids())
    return {entry.process.pid: entry for entry in entries if entry is not None}


def _entry(pid: int) -> Entry | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            parent, created = process.ppid(), process.create_time()
        return Entry(process, created, parent, os.getpgid(pid), os.getsid(pid), _marker(process))
    except (psutil.Error, OSError):
        return None  # it ended while we looked


def _marker(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None


class ProcessTable:
    """Scans shared by all attempts: a thousand that end at once cost a few scans, not a thousand."""

    def __init__(self) -> None:
        self._running: asyncio.Task[Table] | None = None
        self._queued: asyncio.Task[Table] | None = None
        self._latest: Table = {}
        self._taken = float("-inf")
        self._cost = 0.0

    async def fresh(self) -> Table:
        """A scan that begins after this call."""
        if self._queued is None:
            self._queued = asyncio.create_task(self._scan(after=self._running))
        return await asyncio.shield(self._queued)

    async def recent(self) -> Table:
        """A scan for routine looks, as recent as its cost allows."""
        age = time.monotonic() - self._taken
        if age >= self._cost * SCAN_SHARE:
            return await self.fresh()
        return self._latest

    async def _scan(self, after: asyncio.Task[Table] | None) -> Table:
        if after is not None:
            await asyncio.wait({after})
        self._running, self._queued = self._queued, None
        begun = time.monotonic()
        self._latest = await asyncio.to_thread(scan)
        self._taken = time.monotonic()
        self._cost = self._taken - begun
        return self._latest


class Family:
    """The processes known to belong to one or more attempts.

    `leaders` are pids of session leaders that are the attempts' for certain; their sessions and groups
    belong here even after they ended. `markers` are the attempts' markers, `known` further processes.
    """

    def __init__(
        self, leaders: Collection[int], markers: Collection[str], known: Collection[psutil.Process] = ()
    ) -> None:
        self._leaders = frozenset(leaders)
        self._markers = frozenset(markers)
        self._known: set[psutil.Process] = set(known)

    def update(self, table: Table) -> set[psutil.Process]:
        """Take in what `table` shows to belong here; the members alive in it."""
        members = {pid: entry for pid, entry in table.items() if self._belongs(entry)}
        children: dict[int, list[int]] = {}
        for pid, entry in table.items():
            children.setdefault(entry.parent, []).append(pid)
        frontier = list(members)
        while frontier:
            for pid in children.get(frontier.pop(), ()):
                if pid not in members:
                    members[pid] = table[pid]
                    frontier.append(pid)
        members.pop(os.getpid(), None)
        self._known = {entry.process for entry in members.values()}
        return self._known

    def leads(self, process: psutil.Process) -> bool:
        """Whether `process` leads an attempt's session."""
        return process.pid in self._leaders

    def _belongs(self, entry: Entry) -> bool:
        return (
            entry.process in self._known
            or entry.marker in self._markers
            or not self._leaders.isdisjoint((entry.process.pid, entry.group, entry.session))
        )


def recorded(started: Sequence[Started], table: Table) -> list[int]:
    """The pids of `started` that are, in `table`, still the processes recorded."""
    return [root.pid for root in started if root.pid in table and _is(root, table[root.pid])]


def _is(root: Started, entry: Entry) -> bool:
    if root.process:
        return identity(root.pid) == root.process
    return abs(entry.created - root.created) <= CLOCK_SLACK


async def end(family: Family, table: ProcessTable, grace: float) -> int:
    """End every process of `family`: SIGTERM, up to `grace` seconds, SIGKILL; how many there were.

    Processes that appear meanwhile are ended too. Returns once none is left (or, after SIGKILL, when
    `KILL_PATIENCE` is over: then they hang in the kernel and a warning is logged).
    """
    seen: set[psutil.Process] = set()
    alive = await _pursue(family, table, signal.SIGTERM, grace, seen)
    if alive:
        alive = await _pursue(family, table, signal.SIGKILL, KILL_PATIENCE, seen)
    if alive:
        _warn(alive)
    return len(seen)


async def _pursue(
    family: Family,
    table: ProcessTable,
    number: signal.Signals,
    patience: float,
    seen: set[psutil.Process],
) -> Collection[psutil.Process]:
    """Signal each member once, newcomers too, until none is left or `patience` is over; who is left.

    Leaders are killed last: until then whatever has no other parent any more is handed down to them.
    """
    deadline = time.monotonic() + patience
    signalled: set[psutil.Process] = set()
    while alive := family.update(await table.fresh()):
        below = {process for process in alive if not family.leads(process)}
        due = below if below and number is signal.SIGKILL else alive
        for process in due - signalled:
            _attempt(process.send_signal, number)
        signalled |= due
        seen |= alive
        if time.monotonic() >= deadline:
            break
        await _gone(due, deadline)
    return alive


async def _gone(processes: Collection[psutil.Process], deadline: float) -> None:
    """Wait until none of `processes` is alive, at most until `deadline` (monotonic)."""
    while any(_lives(process) for process in processes) and time.monotonic() < deadline:
        await asyncio.sleep(POLL)


def _lives(process: psutil.Process) -> bool:
    return bool(_attempt(process.is_running)) and _attempt(process.status) not in {None, psutil.STATUS_ZOMBIE}


def _attempt(action: Callable[..., T], *arguments: object) -> T | None:
    try:
        return action(*arguments)
    except (psutil.Error, OSError):
        return None  # it ended meanwhile


def _warn(alive: Collection[psutil.Process]) -> None:
    from loguru import logger

    pids = ", ".join(str(process.pid) for process in alive)
    logger.warning("processes {} do not end even after SIGKILL; they hang in the kernel", pids)
