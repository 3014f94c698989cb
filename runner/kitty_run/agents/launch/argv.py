"""The complete command of one attempt, built from the profile without touching anything.

argv = `command` + what keeps the policy (in the order of `policy_axes`) + the role's own + `args` (or
`resume`) + the prompt, where it is an argument. Each item is one argument and never split again; no shell is
used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.errors import LaunchError
from kitty_run.machine import own_file
from kitty_run.profile.model import Agent, Extra, Policy, RoleName
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.template import render
from kitty_run.profile.validation.flags import refused
from kitty_run.text.clean import clean

PROMPT = "<prompt>"
"""The placeholder of the prompt in `Command.shown`."""

ARGUMENT_LIMIT = 131_071
"""Bytes that Linux takes in one argument (MAX_ARG_STRLEN less the closing zero)."""

EXTENSIONS = frozenset({"json", "toml", "yaml", "yml", "md", "txt"})

Variables = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Command:
    """What starts one attempt, complete.

    `shown` is `argv` for people and the journal: prompt and feedback replaced, known secret shapes masked.
    `env` is what the policy and the role add to the environment. `stdin` is the prompt's file or None.
    `files` are to be written (mode 0600) before the start: path to content.
    """

    argv: tuple[str, ...]
    shown: tuple[str, ...]
    stdin: Path | None
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)

    def write_files(self) -> None:
        """Write `files` anew; raises MachineFault."""
        for path, text in self.files.items():
            write_private(path, text)


def build(  # noqa: PLR0913, PLR0917 - the things an argv is made of, and where its files go
    agent: Agent,
    role: RoleName,
    policy: Policy,
    variables: Variables,
    prompt_file: Path,
    session: str | None,
    files_dir: Path,
) -> Command:
    """The command that lets `agent` take `role` under `policy`; nothing is written yet.

    `variables` are those of `prompts.variables`, with `prompt` the complete prompt; `prompt_file` holds the
    same text. Files are to be in `files_dir`. Raises LaunchError where the policy can't be kept, two
    extras contradict each other, or the prompt is too long for an argument.
    """
    if session is not None and session.startswith("-"):
        session = None  # an agent's output names it: it would be an option
    extras = tuple(_extras(agent, role, policy))
    texts = _merged(agent, extras, "files")
    paths = {name: files_dir / file_name(name) for name in texts}
    known = {
        **variables,
        "prompt_file": str(prompt_file),
        "session": session or "",
        "files": {name: str(path) for name, path in paths.items()},
    }
    tail = agent.resume if session is not None and agent.resume is not None else agent.args
    items = [*agent.command, *(item for extra in extras for item in extra.args), *tail]
    prompt = [str(variables["prompt"])] if agent.prompt == "argument" else []
    rendered = _rendered(items, known)
    _refuse_bypasses(agent, policy, rendered)
    argv = [*rendered, *prompt]
    _check_prompt(agent, prompt)
    _check_length(agent, argv)
    veiled = {**known, "prompt": PROMPT, "feedback": "<feedback>", "verdict_code": "<verdict-code>"}
    return Command(
        argv=tuple(argv),
        shown=tuple(clean(item) for item in [*_rendered(items, veiled), *(PROMPT for _ in prompt)]),
        stdin=prompt_file if agent.prompt == "stdin" else None,
        env={name: render(text, known) for name, text in _merged(agent, extras, "env").items()},
        files={paths[name]: render(text, known) for name, text in texts.items()},
    )


def file_name(name: str) -> str:
    """The file called `name` in a profile; some CLIs go by the extension: `rules_toml` is `rules.toml`."""
    stem, _, extension = name.rpartition("_")
    return f"{stem}.{extension}" if stem and extension in EXTENSIONS else name


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of mode 0600, replacing what was there; raises MachineFault."""
    with own_file(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(text)


def _extras(agent: Agent, role: RoleName, policy: Policy) -> Iterator[Extra]:
    for axis in policy_axes():
        value = policy.axes[axis]
        table = agent.enforce.get(axis, {})
        if value not in table:
            raise LaunchError(
                f"agent {agent.name} cannot keep {axis}: {value}; "
                f"its `enforce` table lists {', '.join(sorted(table)) or 'nothing'}"
            )
        yield table[value]
    yield agent.roles.get(role, Extra())


def _merged(agent: Agent, extras: Sequence[Extra], kind: str) -> dict[str, str]:
    """`env` or `files` of all extras; a name set to two values would let one undo what another keeps."""
    merged: dict[str, str] = {}
    for extra in extras:
        for name, text in getattr(extra, kind).items():
            if merged.setdefault(name, text) != text:
                raise LaunchError(
                    f"agent {agent.name}: `enforce` and `roles` set {kind}.{name} to two values"
                )
    return merged


def _rendered(items: Sequence[str], variables: Variables) -> list[str]:
    return [render(item, variables) for item in items]


def _refuse_bypasses(agent: Agent, policy: Policy, argv: Sequence[str]) -> None:
    """What a template was rendered to may be a flag that the check of the profile could not see."""
    families = {agent.family, *(Path(item).name for item in agent.command)}
    if flag := refused(argv, families, policy.dangerous_flags):
        raise LaunchError(f"agent {agent.name}: its arguments hold {flag}, which bypasses the policy")


def _check_prompt(agent: Agent, prompt: Sequence[str]) -> None:
    """What a mission or a reviewer wrote must not be an option: it may stand at the prompt's beginning."""
    if any(item.startswith("-") for item in prompt):
        raise LaunchError(
            f"agent {agent.name}: its prompt is an argument and begins with a dash, so that it would be an "
            "option; have the role's `prompt` begin with other words"
        )


def _check_length(agent: Agent, argv: Sequence[str]) -> None:
    if any(len(item.encode()) > ARGUMENT_LIMIT for item in argv):
        raise LaunchError(
            f"agent {agent.name}: the prompt is longer than the {ARGUMENT_LIMIT} bytes that an argument "
            "can hold; use `prompt: stdin` or `prompt: file`"
        )
