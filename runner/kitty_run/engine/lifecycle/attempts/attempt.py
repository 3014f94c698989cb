"""One attempt of an agent: prompt, command, process, log, outcome; announced and recorded in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from kitty_run.agents.launch import argv, environment, prompts
from kitty_run.agents.model import AttemptContext, CheckResult, Exit, Launch, Outcome, Slip
from kitty_run.agents.results.outcome import classify
from kitty_run.agents.results.time_zones import LOCAL
from kitty_run.engine.context import Services
from kitty_run.engine.lifecycle.attempts.budget_check import check, look
from kitty_run.engine.lifecycle.attempts.handover import interrupted
from kitty_run.engine.lifecycle.attempts.process_record import recorded
from kitty_run.engine.lifecycle.claim import Assignment
from kitty_run.engine.shutdown import EndCode, Ended
from kitty_run.engine.state.events import AttemptEnded, AttemptInterrupted, AttemptStarted
from kitty_run.execution.sandbox import confine
from kitty_run.git.protocols import Diff
from kitty_run.profile.model import Agent, RoleName

DIFF_LIMIT = 200_000
"""Bytes of diff that a reviewer gets in its prompt."""


MARGIN = 1000
"""Bytes that a prompt may grow by when it tells of a shortened diff."""

NAP = 30.0
"""Seconds after which somebody who waits looks at the clock and at the run's limits again."""


class FamilyLimited(Exception):
    """Control flow: the attempt was not started, since its agent's family is limited now."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which agent is to take which role for the work package at `at`, whose workspace is at commit `head`."""

    role: RoleName
    agent: str
    at: Assignment
    head: str


class AttemptRunner:
    """Runs attempts for one work package."""

    def __init__(self, services: Services, wp: str) -> None:
        self._s = services
        self._wp = wp
        self.slip: Slip | None = None
        """What the latest review's verdict is given on; None before the first one."""

    async def run(self, order: Order) -> Outcome:
        """One attempt, from waiting for a place to its outcome.

        Raises `FamilyLimited` where the agent's family became limited before it could start, and `Ended`
        where the run is stopping or a limit is reached. Cancelling ends the agent's whole process tree first.
        """
        agent = self._s.profile.agents[order.agent]
        async with self._s.slots.hold(order.role, order.agent, self._s.ways.get(self._wp, 0.0)):
            self._check_limits()
            self._check_breaker(agent)
            return await self._attempt(order, agent)

    async def rest(self, until: datetime) -> None:
        """Wait until `until`, but not for long at a time: the clock may be put, or the machine have slept.

        Raises `Ended` where the run is stopping or a limit is reached meanwhile.
        """
        self._check_limits()
        await self._s.control.pause(min((until - self._s.now()).total_seconds(), NAP))

    def _check_breaker(self, agent: Agent) -> None:
        if self._s.breakers.limited(agent.family) is not None:
            raise FamilyLimited

    def _check_limits(self) -> None:
        check(self._s, self._wp)

    async def _attempt(self, order: Order, agent: Agent) -> Outcome:
        number = self._s.remember(self._wp).attempts.get(order.role, 0) + 1
        launch = await self._prepare(order, agent, number)
        try:
            exit_ = await self._launch(launch)
        except asyncio.CancelledError:
            self._s.journal.write(AttemptInterrupted(self._wp, role=order.role, attempt=number))
            raise
        outcome = await asyncio.to_thread(classify, agent, exit_, self._s.now().astimezone(LOCAL))
        self._s.journal.write(_ended(self._wp, order, number, outcome))
        look(self._s)
        if exit_.ending == "stopped":
            raise Ended(EndCode.INTERRUPTED, "interrupted")
        return outcome

    async def _prepare(self, order: Order, agent: Agent, number: int) -> Launch:
        """Everything on the disk that the attempt needs, and its announcement in the journal."""
        name = f"{order.role}-{number}"
        place, policy = self._s.place, self._s.profile.policy
        self.slip = Slip(place.verdict(self._wp, name), token_hex(8)) if order.role == "review" else None
        context = self.context(order, number)
        prompt_file = place.prompt(self._wp, name)
        prompt = await self._prompt(order, agent, context, prompt_file)
        self._check_breaker(agent)  # nothing is awaited from here to the announcement
        argv.write_private(prompt_file, prompt)
        variables = prompts.variables(context, agent, policy, prompt, prompt_file)
        files = place.files(self._wp, name)
        command = argv.build(agent, order.role, policy, variables, prompt_file, context.session, files)
        command.write_files()
        env = environment.environment(agent.env, command.env, environment.told(context, str(prompt_file)))
        workspace = order.at.workspace.path
        writes = () if context.slip is None else (context.slip.file.parent,)
        command = confine(command, agent, order.role, policy, env, workspace, (prompt_file,), writes)
        log = place.log(self._wp, name)
        marker = f"{place.id}/{self._wp}/{name}"
        self._check_limits()  # once more: others may have started while this one was prepared
        self._s.journal.write(
            AttemptStarted(
                self._wp,
                role=order.role,
                agent=order.agent,
                family=agent.family,
                attempt=number,
                cycle=context.cycle,
                argv=tuple(command.shown),
                log=log,
                prompt=prompt_file,
                session=context.session,
                head=order.head,
                marker=marker,
            )
        )
        look(self._s)
        return Launch(
            argv=command.argv,
            cwd=workspace,
            env=env,
            stdin=command.stdin,
            stdout=log,
            stderr=log.with_suffix(".stderr.log"),
            timeout=agent.timeout,
            idle_timeout=agent.idle_timeout,
            kill_grace=agent.kill_grace,
            marker=marker,
        )

    async def _launch(self, launch: Launch) -> Exit:
        with recorded(self._s, self._wp, launch.marker) as started:
            return await self._s.executor.run(launch, started)

    async def _prompt(self, order: Order, agent: Agent, context: AttemptContext, prompt_file: Path) -> str:
        def rendered(diff: Diff) -> str:
            return prompts.render_prompt(
                context,
                order.at.task,
                agent,
                self._s.profile.policy,
                self._s.profile.roles[order.role].prompt,
                diff=diff,
                head=order.head,
                note=self._note(order.role),
                prompt_file=prompt_file,
            )

        if order.role != "review":
            return rendered(prompts.NO_DIFF)
        diff = await order.at.workspace.diff(context.base, DIFF_LIMIT)
        over = len(rendered(diff).encode()) - argv.ARGUMENT_LIMIT if agent.prompt == "argument" else 0
        if over > 0:
            room = max(len(diff.text.encode()) - over - MARGIN, 0)
            diff = await order.at.workspace.diff(context.base, room)
        return rendered(diff)

    def _note(self, role: RoleName) -> str:
        """What the attempt before this one left; where nobody could look, since it was cut off, just that."""
        memory = self._s.remember(self._wp)
        if role == "implement" and memory.under_way is not None:
            return interrupted(memory.under_way)
        return memory.notes.get(role, "")

    def context(self, order: Order, number: int) -> AttemptContext:
        """What prompts and templates of this attempt may refer to."""
        memory = self._s.remember(self._wp)
        at = order.at
        return AttemptContext(
            run_id=self._s.place.id,
            mission=self._s.board.mission,
            wp=self._wp,
            title=at.task.title,
            dependencies=self._s.board.work_packages[self._wp].dependencies,
            role=order.role,
            attempt=number,
            cycle=memory.cycle,
            workspace=at.workspace.path,
            base=at.base,
            session=self._session(order),
            feedback=memory.feedback if order.role == "implement" else "",
            slip=self.slip,
            checks=tuple(_check(record) for record in memory.checks) if order.role == "review" else (),
        )

    def _session(self, order: Order) -> str | None:
        """The conversation that the agent takes up again: its own, in this role, where it can."""
        if self._s.profile.agents[order.agent].resume is None:
            return None
        return self._s.remember(self._wp).sessions.get(f"{order.role}:{order.agent}")


def _ended(wp: str, order: Order, number: int, outcome: Outcome) -> AttemptEnded:
    return AttemptEnded(
        wp,
        role=order.role,
        agent=order.agent,
        attempt=number,
        failure=outcome.failure,
        rule=outcome.rule,
        ending=outcome.exit.ending,
        status=outcome.exit.status,
        signal=outcome.exit.signal,
        seconds=round(outcome.exit.seconds, 3),
        log=outcome.exit.stdout,
        session=outcome.session,
        cost_usd=outcome.cost_usd,
        input_tokens=outcome.input_tokens,
        output_tokens=outcome.output_tokens,
        resets_at=outcome.resets_at,
    )


def _check(record: Mapping[str, object]) -> CheckResult:
    """A check as the journal remembers it; of those that a reviewer is shown all have passed."""
    return CheckResult(
        name=str(record["name"]),
        passed=bool(record["passed"]),
        ending="exit",
        status=int(str(record["status"])) if record["status"] is not None else None,
        seconds=float(str(record["seconds"])),
        log=Path(str(record["log"])),
        tail="",
    )
