"""The prompt of a described attempt, with the paths of the machine that it is for."""

from __future__ import annotations

from pathlib import Path

from kitty_run.agents.launch.prompts import render_prompt
from kitty_run.agents.model import AttemptContext
from kitty_run.execution.protocol import AttemptSpec


def prompt_of(spec: AttemptSpec, context: AttemptContext, prompt_file: Path) -> str:
    """The complete prompt; `context` is the attempt where it runs, `prompt_file` will hold the prompt."""
    return render_prompt(
        context,
        spec.task,
        spec.agent,
        spec.policy,
        spec.template,
        diff=spec.diff,
        head=spec.workspace.head,
        note=spec.note,
        prompt_file=prompt_file,
    )
