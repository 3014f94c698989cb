"""A host that crashes while it is imported: which dependency is to blame, and the command that fixes it.

Everything is read from the traceback and from what the installation says of itself: dependencies move on
after a host was published, and a fresh installation gets the newest that its own ranges allow.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TRACEBACK = "Traceback (most recent call last)"
_FRAME = re.compile(r'^  File "(?P<file>[^"\n]+)", line \d+, in (?P<where>.+)$', re.MULTILINE)
_MISSING = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'", re.MULTILINE)
_MOVED = (
    re.compile(r"^ImportError: cannot import name '[\w.]+' from (?:[a-z ]+)?'([\w.]+)'", re.MULTILINE),
    re.compile(r"^AttributeError: (?:[a-z ]+)?module '([\w.]+)' has no attribute", re.MULTILINE),
)
_MODULE_LEVEL = "<module>"


def import_fault(words: str) -> str | None:
    """What is wrong with the installation whose standard error is `words`, with the command that fixes it.

    None where it did not crash at an import.
    """
    _, found, trace = words.rpartition(TRACEBACK)
    frames = list(_FRAME.finditer(trace))
    if not found or not frames:
        return None
    place = _Place.of([frame["file"] for frame in frames])
    if missing := _MISSING.search(trace):
        return _missing(missing[1], place)
    moved = next((match[1] for pattern in _MOVED if (match := pattern.search(trace))), None)
    if moved is None or frames[-1]["where"] != _MODULE_LEVEL:
        return None
    return _moved(moved, place)


@dataclass(frozen=True, slots=True)
class _Place:
    """The `site-packages` that a traceback leads to, and what is installed there; `host` is whose code it
    is."""

    site: Path | None
    installed: tuple[Distribution, ...] = ()
    host: Distribution | None = None

    @classmethod
    def of(cls, files: list[str]) -> _Place:
        for file in files:
            parts = Path(file).parts
            for number in range(len(parts) - 1, 0, -1):
                if parts[number - 1] in {"site-packages", "dist-packages"}:
                    site = Path(*parts[:number])
                    installed = tuple(distributions(path=[str(site)]))
                    return cls(site, installed, _owner(installed, parts[number]))
        return cls(None)

    def owner(self, module: str) -> Distribution | None:
        return _owner(self.installed, module.partition(".")[0])

    def install(self, *wanted: str) -> str:
        """The command that installs `wanted` there."""
        listed = " ".join(shlex.quote(one) for one in wanted)
        if self.site is None:
            return f"pip install {listed}"
        python = self.site.parents[2] / "bin" / "python"
        if not python.exists():
            return f"pip install --target {shlex.quote(str(self.site))} --upgrade {listed}"
        has_pip = (self.site / "pip").is_dir() or any(self.site.glob("*pipx*.pth"))
        if has_pip:
            return f"{shlex.quote(str(python))} -m pip install {listed}"
        return f"uv pip install --python {shlex.quote(str(python))} {listed}"

    def asked(self, name: str) -> Requirement | None:
        """What the host itself says of its dependency `name`."""
        for requirement in _requirements(self.host):
            if canonicalize_name(requirement.name) == canonicalize_name(name):
                return requirement
        return None


def _missing(module: str, place: _Place) -> str:
    top = module.partition(".")[0]
    owner = place.owner(top)
    if owner is not None:  # a part of it is missing
        name = owner.name
        return (
            f"its dependency {name} {owner.version} lacks the module {module}: "
            f"`{place.install(_older(name, owner.version, place))}`"
        )
    asked = place.asked(top)
    wanted = top if asked is None else f"{asked.name}{asked.specifier}"
    return f"{top}, which it imports, is not installed beside it: `{place.install(wanted)}`"


def _moved(module: str, place: _Place) -> str:
    owner = place.owner(module)
    if owner is None:
        return f"{module} has not what it imports of it, and its installation was not found here"
    if place.host is not None and owner.name == place.host.name:
        anew = place.install("--force-reinstall", f"{owner.name}=={owner.version}")
        return f"its own files don't fit each other: `{anew}`"
    return (
        f"its dependency {owner.name} {owner.version} no longer has what it imports of {module}: "
        f"`{place.install(_older(owner.name, owner.version, place))}`"
    )


def _older(name: str, version: str, place: _Place) -> str:
    """The oldest version that the host allows, which it was written for; else any before `version`."""
    asked = place.asked(name)
    lowest = [one.version for one in asked.specifier if one.operator in {">=", "~="}] if asked else []
    return f"{name}=={lowest[0]}" if lowest and lowest[0] != version else f"{name}<{version}"


def _owner(installed: tuple[Distribution, ...], top: str) -> Distribution | None:
    names = {top, f"{top}.py"}
    return next(
        (one for one in installed if any(file.parts[0] in names for file in one.files or ())),
        None,
    )


def _requirements(host: Distribution | None) -> Iterator[Requirement]:
    for text in (host.requires if host else None) or ():
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue
