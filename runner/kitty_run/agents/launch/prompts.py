"""The prompt of an attempt: the default one of its role, or the profile's own around it.

The defaults are templates beside this module (`templates/*.md.j2`). A prompt of the profile is a template
too, in which `{{ prompt }}` is the complete default prompt, so that it adds to it or replaces it.
"""

from __future__ import annotations

import re
from pathlib import Path

from kitty_run.agents.launch.task import Task
from kitty_run.agents.model import AttemptContext, Wanted
from kitty_run.git.protocols import Diff
from kitty_run.profile.model import Agent, Policy
from kitty_run.profile.template import render
from kitty_run.text.characters import visible

TEMPLATES = Path(__file__).resolve().parent / "templates"
NO_DIFF = Diff(text="", truncated=False, files=(), stat="")


def variables(
    context: AttemptContext, agent: Agent, policy: Policy, prompt: str = "", prompt_file: Path | None = None
) -> dict[str, object]:
    """The names that a profile's templates may use (`docs/profile.md`), for one attempt by `agent`.

    Values that are not known yet, or do not exist for this attempt, are empty strings.
    """
    return {
        "run_id": context.run_id,
        "mission": context.mission,
        "wp": {"id": context.wp, "title": context.title, "dependencies": list(context.dependencies)},
        "role": context.role,
        "agent": agent.name,
        "family": agent.family,
        "attempt": context.attempt,
        "cycle": context.cycle,
        "workspace": str(context.workspace),
        "feedback": visible(context.feedback),
        "session": context.session or "",
        "verdict_file": str(context.slip.file) if context.slip else "",
        "verdict_code": context.slip.code if context.slip else "",
        "prompt": prompt,
        "prompt_file": _text(prompt_file),
        "policy": policy.payload(agent.family),
    }


def render_prompt(  # noqa: PLR0913 - all that a prompt is made of
    context: AttemptContext,
    task: Task,
    agent: Agent,
    policy: Policy,
    template: str | None = None,
    *,
    diff: Diff = NO_DIFF,
    head: str = "",
    note: str = "",
    prompt_file: Path | None = None,
) -> str:
    """The complete prompt of one attempt, ending in a newline.

    `template` is the role's own prompt, if the profile has one. A review is shown `diff`, of
    `context.base..head`, and `context.checks`. `note` says what an earlier attempt, perhaps
    another agent's, left in the workspace. What others wrote is between fences that nothing in it can close.
    """
    known = variables(context, agent, policy, prompt_file=prompt_file)
    feedback, note = visible(context.feedback), visible(note)
    quoted = [*(check.tail for check in context.checks), *(one.text for one in context.criteria)]
    wanted = [Wanted(visible(one.id), visible(one.text)) for one in context.criteria]
    material = {
        "task": task.text.strip("\n"),
        "subtasks": list(task.subtasks),
        "feedback": feedback,
        "note": note,
        "diff": diff,
        "base": context.base,
        "head": head or "HEAD",
        "checks": context.checks,
        "criteria": wanted,
        "fence": _fence(task.text, feedback, note, diff.text, diff.stat, *quoted),
    }
    default = render(_default(context), {**known, **material})
    if template is None:
        return _writable(default)
    return _writable(render(template, {**known, "prompt": default.strip("\n")}))


def _writable(text: str) -> str:
    """The text as it can be written: file names that are no UTF-8 come with surrogates in their place."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").rstrip("\n") + "\n"


def _default(context: AttemptContext) -> str:
    name = "review" if context.role == "review" else "rework" if context.feedback else "implement"
    return (TEMPLATES / f"{name}.md.j2").read_text(encoding="utf-8")


def _fence(*texts: str) -> str:
    """A fence that no run of backticks in `texts` can close."""
    runs = (len(run) for text in texts for run in re.findall(r"`{3,}", text))
    return "`" * (max(runs, default=2) + 1)


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)
