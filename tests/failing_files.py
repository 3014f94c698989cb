"""A machine that fails when one kind of the runner's own files is made, opened, written or synced."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

_CALLS = ((os, "open"), (os, "mkdir"), (os, "replace"), (os, "write"), (os, "fsync"), (io, "open"))


class Files:
    """Sees every such call below the directories `below`; `fails` are the kinds that fail with `number`.

    A kind is the call's name, and what `name` makes of the file's path below the directory (default: `room`):
    `open logs`, `write events.jsonl`.
    """

    def __init__(self, *below: Path, name: Callable[[Path], str] | None = None) -> None:
        self._name = name or room
        self._below = below
        self._opened: dict[int, str] = {}
        self.seen: list[str] = []
        self.fails: frozenset[str] = frozenset()
        self.number = 0
        self.failed = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, calls are seen, and fail."""
        with ExitStack() as stack:
            for module, name in _CALLS:
                call = (lambda _: None) if name == "fsync" else getattr(module, name)
                stack.enter_context(patch.object(module, name, self._wrapped(name, call)))
            yield

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(target: Any, *rest: Any, **named: Any) -> Any:
            kind = self._kind(target)
            if kind is not None and not (name == "mkdir" and Path(target).is_dir()):
                self.seen.append(f"{name} {kind}")
                if f"{name} {kind}" in self.fails:
                    self.failed += 1
                    about = () if isinstance(target, int) else (str(target),)
                    raise OSError(self.number, os.strerror(self.number), *about)
            found = call(target, *rest, **named)
            if name == "open" and isinstance(found, int):
                self._opened[found] = kind or ""
            return found

        return wrapper

    def _kind(self, target: Any) -> str | None:
        """What `target` (a path, or a descriptor) is among the runner's files; None: not the runner's."""
        if isinstance(target, int):
            return self._opened.get(target) or None
        path = Path(os.fsdecode(target))
        for place in self._below:
            if path.is_relative_to(place):
                return self._name(path.relative_to(place)) or place.name
        return None


def room(path: Path) -> str:
    """The first part of `path`: a file of a run by its room."""
    return path.parts[0] if path.parts else ""


def plain(path: Path) -> str:
    """All of `path`, without what differs from run to run."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{8}", "RUN", path.as_posix())
    text = re.sub(r"[0-9a-f]{24,}", "HASH", text)
    return re.sub(r"\.(\d+|[0-9a-z_]{8})\.new$", ".new", text)
