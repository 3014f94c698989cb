"""The environment of an agent: what its profile allows, the runner's own variables, and nothing else.

`PATH` alone is passed without being listed: without it, neither the agent's command nor the interpreter
its first line names would be found, and it is no secret. `env.set: {PATH: ...}` replaces it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from kitty_run.agents.model import AttemptContext
from kitty_run.profile.model import AgentEnv
from kitty_run.text.known import secret_values

ALWAYS = ("PATH",)
WORKSPACE = "KITTY_WORKSPACE"
"""The variable by which a process is known to work on a work package."""


def environment(
    allowed: AgentEnv,
    extras: Mapping[str, str],
    own: Mapping[str, str],
    source: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """The whole environment of a process: later sources win.

    `allowed.passed` names from `source` (names that are unset there stay unset), then `allowed.set`, then
    `extras` (what policy and role need), then `own`, the runner's `KITTY_*`.
    """
    passed = {name: source[name] for name in (*ALWAYS, *allowed.passed) if name in source}
    return {**passed, **allowed.set, **extras, **own}


def secrets_of(environments: Iterable[AgentEnv], source: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The values in the agents' environments that nobody is to see, wherever they come from."""
    for allowed in environments:
        yield from secret_values(allowed.passed, source)
        yield from secret_values(allowed.set, allowed.set)


def runner_variables(context: AttemptContext, prompt_file: str) -> dict[str, str]:
    """The `KITTY_*` variables that name what an agent works on; `KITTY_VERDICT_*` for reviews."""
    names = {
        "KITTY_RUN_ID": context.run_id,
        "KITTY_MISSION": context.mission,
        "KITTY_WP": context.wp,
        "KITTY_ROLE": context.role,
        "KITTY_ATTEMPT": str(context.attempt),
        "KITTY_CYCLE": str(context.cycle),
        WORKSPACE: str(context.workspace),
        "KITTY_PROMPT_FILE": prompt_file,
    }
    if context.slip is not None:
        names["KITTY_VERDICT_FILE"] = str(context.slip.file)
        names["KITTY_VERDICT_CODE"] = context.slip.code
    return names
