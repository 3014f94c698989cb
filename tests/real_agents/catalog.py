"""Where each real CLI comes from and how it is pointed at a mock model service: `catalog.yaml`, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CATALOG = Path(__file__).parent / "catalog.yaml"


@dataclass(frozen=True, slots=True)
class Shell:
    """A call of the CLI's shell; `{command}` reaches the network."""

    tool: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mock:
    """How a CLI is pointed at the mock service, and what the service asks it to do.

    `{url}` is the service's address; `{file}` is the file to write and `{relative}` the same from the
    workspace. `tool` and `arguments` are a call that writes it; `text` is a reply that does, for a CLI
    without tools. `shell` is named where some policy gives a shell that may run anything. `env` must come
    through the preset's allow-list, `set` and `model` (arguments after its command) are what a user's own
    profile would add. `config` are files below HOME. `prepare` are commands of the CLI that are run before.
    `waits` are errors that it waits out for longer than a check may take, and what to make of it when it
    is ended then.
    """

    tool: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    shell: Shell | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, str] = field(default_factory=dict)
    model: tuple[str, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    waits: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A CLI: its command, the package that has it, and how to look at it.

    `version` is what to take where the registry has not all that the newest one needs. `beside` are
    packages with which its bare package runs, where the rest of what it names is not to be had. `python` is
    the oldest one that it takes. `help` are arguments that print options; a parser that refuses
    unknown ones needs none. `alone` says why there is no `mock`.
    """

    command: str
    npm: str = ""
    pip: str = ""
    version: str = ""
    beside: tuple[str, ...] = ()
    python: tuple[int, ...] = ()
    help: tuple[tuple[str, ...], ...] = ()
    mock: Mock | None = None
    alone: str = ""


def read(path: Path = CATALOG) -> dict[str, Entry]:
    """The catalog's entries by family."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {family: _entry(entry) for family, entry in document.items()}


def _entry(entry: Mapping[str, Any]) -> Entry:
    mock = entry.get("mock")
    rest = {key: _frozen(value) for key, value in entry.items() if key != "mock"}
    return Entry(**rest, mock=None if mock is None else _mock(mock))


def _mock(mock: Mapping[str, Any]) -> Mock:
    rest = {key: _frozen(value) for key, value in mock.items() if key != "shell"}
    return Mock(**rest, shell=Shell(**mock["shell"]) if "shell" in mock else None)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
