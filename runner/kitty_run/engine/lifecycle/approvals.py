"""Gates: places where a person is asked, at the terminal or by `kitty-run approve` and `reject`.

A person's answer goes to the journal, and to the host's history as a note. The host's actor of that note is
the runner's own, as of every call: 1.0 hosts take the last actor for whoever holds the work package, and
would refuse it to the runner from then on. Who answered is in the note.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from kitty_run.engine.context import Run
from kitty_run.engine.lifecycle.host_calls import HostCalls
from kitty_run.engine.shutdown import End, Stop
from kitty_run.engine.state.end_codes import EndCode
from kitty_run.engine.state.events import GateAnswered, GateWaiting
from kitty_run.engine.state.gate_answers import LOOK, Answer, Asker, answer_of, forget, gate_id, give
from kitty_run.profile.model import GateName
from kitty_run.text.commands import command


class Approvals:
    """Asks the profile's gates of one run."""

    def __init__(self, run: Run, calls: HostCalls, asker: Asker | None, *, assume_yes: bool) -> None:
        self._run = run
        self._calls = calls
        self._asker = asker
        self._assume_yes = assume_yes

    async def pass_or_stop(self, gate: GateName, about: str = "", *, always: bool = False) -> Answer:
        """Like `ask` for the whole mission, approved; raises `Stop` where the gate waits or was rejected.

        `about` is what the person decides on. `always`: also where the profile has no such gate.
        """
        answer = await self.ask(gate, about=about, always=always)
        if isinstance(answer, End):
            raise Stop(answer)
        if not answer.approved:
            said = f"the gate `{gate}` was rejected by {answer.by}: {answer.note}".rstrip(": ")
            raise Stop(End(EndCode.GATE_REJECTED, said))
        return answer

    async def ask(
        self, gate: GateName, wp: str | None = None, *, about: str = "", always: bool = False
    ) -> Answer | End:
        """The answer to `gate`; approved at once where the profile has no such gate, but for `always`.

        Where nobody has answered, a person at the terminal is asked; without one it is an end, the gate
        waits. A rejection is used up by being read, so that the next time the gate asks again.
        """
        if not (always or gate in self._run.profile.gates) or self._assume_yes:
            return Answer(True)
        name = gate_id(gate, wp)
        answer = answer_of(self._run.place, name)
        if answer is None:
            self._run.journal.write(GateWaiting(name, wp=wp))
            if about:
                self._run.notice(f"gate {name}: {about}", wp)
            found = await self._wait(name, wp)
            if found is None:
                said = f"gate {name}: `{command('kitty-run', 'approve', name)}`, then run again"
                return End(EndCode.GATE_WAITS, f"{said}\n{about}" if about else said, gate=name)
            answer = found
        await self._record(name, wp, answer)
        if not answer.approved:
            self.forget(gate, wp)
        return answer

    def forget(self, gate: GateName, wp: str | None = None) -> None:
        """Let the gate ask again: whatever was answered was about something else."""
        forget(self._run.place, gate_id(gate, wp))

    async def _record(self, name: str, wp: str | None, answer: Answer) -> None:
        """Write the answer to the journal, and to the host's history unless it is there already.

        Only a runner that is killed between the host's note and the journal's word of it notes it twice.
        """
        history = self._history(wp)
        if (name, answer.given) in self._run.memory.noted:
            history = None
        self._run.journal.write(GateAnswered(name, **asdict(answer), history=history, wp=wp))
        if history is not None:
            await self._calls.note(history, _note(name, answer))

    def _history(self, wp: str | None) -> str | None:
        """The work package whose history gets the answer: hosts keep none for missions, so the first one's
        has the mission's gates. None: the profile wants no notes."""
        if self._run.profile.host.history == "none":
            return None
        return wp or next(iter(self._run.board.lanes), None)

    async def _wait(self, name: str, wp: str | None) -> Answer | None:
        """Whatever comes first: the person at the terminal, or an answer given elsewhere.

        None where nobody is at the terminal.
        """
        if self._asker is None:
            return None
        asked = asyncio.create_task(self._asker.ask(name, wp or f"mission {self._run.board.mission}"))
        try:
            while not asked.done():
                if (found := answer_of(self._run.place, name)) is not None:
                    return found
                self._run.control.checkpoint()
                await asyncio.wait({asked}, timeout=LOOK)
            give(self._run.place, name, asked.result())
            return answer_of(self._run.place, name) or asked.result()
        finally:
            asked.cancel()


def _note(name: str, answer: Answer) -> str:
    """The answer as one line of the host's history."""
    said = f"gate {name}: {'approved' if answer.approved else 'rejected'} by {answer.by}"
    return " ".join(f"{said}: {answer.note}".split()).removesuffix(":")
