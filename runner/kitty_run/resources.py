"""Where the shipped data is: `schemas/` and `profiles/`, in a checkout or inside the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def data_root() -> Path:
    """The directory that holds `schemas/` and `profiles/`: `_data` in a wheel, else the checkout's root."""
    package = Path(__file__).resolve().parent
    packed = package / "_data"
    return packed if packed.is_dir() else package.parents[1]


def schema_path(name: str) -> Path:
    """The file of the JSON schema `name` (`profile`, `verdict`, `event`, ...); it may not exist."""
    return data_root() / "schemas" / f"{name}.schema.json"


def profiles_dir() -> Path:
    """The directory of what ships as data: `hosts/`, `agents/`, presets and the defaults."""
    return data_root() / "profiles"


def read_yaml(path: Path) -> Any:
    """What the shipped file `path` holds, by the fast parser where there is one: each start reads some."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - a safe one
