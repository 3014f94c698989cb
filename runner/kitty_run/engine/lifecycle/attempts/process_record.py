"""Records in the journal each process that runs, so that a later run can end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kitty_run.agents.model import Denial, OnStarted, Started
from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.attempts.budget_check import look
from kitty_run.engine.state.events import AttemptProcess, AttemptStarted, EgressDenied, ProcessEnded
from kitty_run.engine.state.journal import Journal
from kitty_run.execution.protocol import AttemptSpec, Prepared
from kitty_run.text.clean import clean


@contextmanager
def recorded(journal: Journal, wp: str, marker: str) -> Iterator[OnStarted]:
    """A callback that records the started process under `marker`; on leaving, its end is recorded."""
    try:
        yield lambda process: _started(journal, wp, marker, process)
    finally:
        journal.write(ProcessEnded(marker, wp=wp))


async def _started(journal: Journal, wp: str, marker: str, process: Started) -> None:
    journal.write(
        AttemptProcess(
            wp, marker=marker, pid=process.pid, created=process.created, process=process.process or None
        )
    )


def write_denial(journal: Journal, wp: str, marker: str, denial: Denial) -> None:
    """Write down a connection that was refused to the process with `marker`."""
    host = clean(denial.host)
    journal.write(EgressDenied(wp, marker=marker, host=host, port=denial.port, reason=denial.reason))


class AttemptRecord:
    """An attempt in the journal: its announcement, its process, the end of that.

    `may_start` raises where the attempt must not start any more: then nothing is announced, and nothing ends.
    """

    def __init__(self, run: Run, spec: AttemptSpec, may_start: Callable[[], None]) -> None:
        self._run = run
        self._spec = spec
        self._may_start = may_start
        self.announced = False

    async def prepared(self, ready: Prepared) -> None:
        """Announce the attempt; nothing is awaited from the last look at limits to the announcement."""
        spec, facts = self._spec, self._spec.attempt
        self._may_start()
        self._run.journal.write(
            AttemptStarted(
                facts.wp,
                role=facts.role,
                agent=spec.agent.name,
                family=spec.agent.family,
                attempt=facts.attempt,
                cycle=facts.cycle,
                argv=ready.argv,
                log=ready.log,
                prompt=ready.prompt,
                session=facts.session,
                head=spec.workspace.head,
                tree=spec.workspace.tree,
                trust=self._run.profile.trust.get(spec.agent.name),
                marker=spec.marker,
            )
        )
        self.announced = True
        look(self._run)

    async def started(self, process: Started) -> None:
        """Write down how a later run finds the process."""
        await _started(self._run.journal, self._spec.attempt.wp, self._spec.marker, process)

    async def denied(self, denial: Denial) -> None:
        """Write down where it was not let through to."""
        write_denial(self._run.journal, self._spec.attempt.wp, self._spec.marker, denial)

    def over(self) -> None:
        """The attempt's processes have ended."""
        if self.announced:
            self._run.journal.write(ProcessEnded(self._spec.marker, wp=self._spec.attempt.wp))
