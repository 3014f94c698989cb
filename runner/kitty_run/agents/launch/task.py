"""A work package's prompt file: the task as the host wrote it, and what its front matter says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kitty_run.errors import KittyRunError
from kitty_run.machine import fault_of
from kitty_run.text.characters import visible

SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes; a prompt file beyond that is not one."""

TITLE_LENGTH = 200
"""Characters."""

_SUBTASK = re.compile(r"[A-Za-z0-9][\w.:-]{0,63}")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_REPORT = r"(?im)^[\s>*`_-]*(?:\[[x ]\]\s*)?{subtask}\b[*`_\s]*[:\u2013\u2014-]+[*`_\s]*(not[ _-]done|done)\b"


class TaskError(KittyRunError):
    """A work package's prompt file can't be used; names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """A work package's prompt file. `text` is all of it.

    `title` is the work package's id where the front matter has none, or is unusable. `subtasks`
    are ids such as `T001`. `owned_files` are glob patterns of what the work package is about. `requirements`
    are the ids of the mission's requirements, and so of its acceptance criteria, that it is to meet.
    """

    wp: str
    text: str
    title: str
    subtasks: tuple[str, ...] = ()
    owned_files: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()


def read_task(path: Path, wp: str) -> Task:
    """The task in the file `path`; raises TaskError where it is missing, empty, too large or not UTF-8."""
    text = _read(path, wp)
    match = _FRONT_MATTER.match(text)
    if match is None:
        return Task(wp, text, wp)
    return _with_front_matter(Task(wp, text, wp), match[1])


def reported(message: str, subtasks: tuple[str, ...]) -> dict[str, bool]:
    """What an agent's final message says of `subtasks`: done or not; those it does not report are left out.

    Of several lines about one subtask the last counts.
    """
    found: dict[str, bool] = {}
    for subtask in subtasks:
        said = re.findall(_REPORT.format(subtask=re.escape(subtask)), message)
        if said:
            found[subtask] = said[-1].lower() == "done"
    return found


def _read(path: Path, wp: str) -> str:
    advice = f"restore it (it belongs to {wp}), then run again"
    try:
        content = path.read_bytes() if path.stat().st_size <= SIZE_LIMIT else None
    except OSError as error:
        if fault := fault_of(error, path):
            raise fault from error
        raise TaskError(f"{path}: the prompt of {wp} cannot be read: {error.strerror}; {advice}") from error
    if content is None:
        raise TaskError(f"{path}: the prompt of {wp} is larger than {SIZE_LIMIT} bytes; shorten it")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TaskError(
            f"{path}: the prompt of {wp} is not UTF-8 (byte {error.start}); save it as UTF-8, then run again"
        ) from error
    if not text.strip():
        raise TaskError(f"{path}: the prompt of {wp} is empty; {advice}")
    return text


def _with_front_matter(task: Task, text: str) -> Task:
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return task
    if not isinstance(data, dict):
        return task
    title = data.get("title")
    return Task(
        task.wp,
        task.text,
        _title(title) if isinstance(title, str) and title.strip() else task.wp,
        tuple(item for item in _strings(data.get("subtasks")) if _SUBTASK.fullmatch(item)),
        _strings(data.get("owned_files")),
        _strings(data.get("requirement_refs")),
    )


def _title(text: str) -> str:
    """In one line, which the prompts begin with: it can be no heading of theirs, and no page either."""
    line = " ".join(visible(text).split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
