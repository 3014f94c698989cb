"""An attempt's description to a process that can be started here: paths, environment, sandbox and files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kitty_run.agents.launch import argv, environment, prompts
from kitty_run.agents.model import AttemptContext, Launch, Slip
from kitty_run.execution.logs import end_record
from kitty_run.execution.prompt import prompt_of
from kitty_run.execution.protocol import AttemptSpec, Prepared, Site
from kitty_run.execution.sandbox.bubblewrap import WayOut
from kitty_run.execution.sandbox.confine import Place, confine


@dataclass(frozen=True, slots=True)
class Ready:
    """An attempt that can be started: `prepared` is what the engine learns of it."""

    launch: Launch
    prepared: Prepared
    verdict_file: Path | None


def workspace_path(site: Site, name: str) -> Path:
    """The workspace of that name on this machine."""
    return Path(os.path.normpath(Path(os.path.realpath(site.repo)) / name))


def prepare(spec: AttemptSpec, site: Site, way_out: WayOut | None = None) -> Ready:
    """Write the attempt's files, and put its command together. Raises LaunchError and MachineFault.

    `way_out` is there where the attempt reaches the network by a gateway only.
    """
    facts, files = spec.attempt, site.files(spec.attempt.run_id)
    prompt_file = files.prompt(facts.wp, facts.name)
    slip = None
    if spec.verdict_code is not None:
        slip = Slip(files.verdict(facts.wp, facts.name), spec.verdict_code)
    context = facts.located(workspace_path(site, spec.workspace.name), slip)
    prompt = prompt_of(spec, context, prompt_file)
    argv.write_private(prompt_file, prompt)
    command, env = _command(spec, context, prompt, prompt_file, site)
    writes = () if slip is None else (slip.file.parent,)
    place = Place(context.workspace, (prompt_file,), writes, way_out)
    command = confine(command, spec.agent, context.role, spec.policy, env, place)
    log = files.log(facts.wp, facts.name)
    launch = Launch(
        argv=command.argv,
        cwd=context.workspace,
        env=env,
        stdin=command.stdin,
        stdout=log,
        stderr=log.with_suffix(".stderr.log"),
        timeout=spec.agent.timeout,
        idle_timeout=spec.agent.idle_timeout,
        kill_grace=spec.agent.kill_grace,
        marker=spec.marker,
        log_limit=spec.log_limit,
        record=end_record.path_beside(log),
    )
    return Ready(launch, Prepared(command.shown, log, prompt_file), None if slip is None else slip.file)


def _command(
    spec: AttemptSpec, context: AttemptContext, prompt: str, prompt_file: Path, site: Site
) -> tuple[argv.Command, dict[str, str]]:
    """The command and its whole environment."""
    agent, policy = spec.agent, spec.policy
    variables = prompts.variables(context, agent, policy, prompt, prompt_file)
    files = site.files(context.run_id).files(context.wp, context.name)
    command = argv.build(agent, context.role, policy, variables, prompt_file, context.session, files)
    command.write_files()
    own = environment.runner_variables(context, str(prompt_file))
    return command, environment.environment(agent.env, command.env, own, site.environment)
