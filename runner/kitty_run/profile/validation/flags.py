"""Flags known to bypass approvals or sandbox: data of `profiles/policy/flags.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from kitty_run.profile.yaml.reader import open_source, read_document
from kitty_run.profile.yaml.tree import plain
from kitty_run.resources import profiles_dir


@dataclass(frozen=True)
class Bypass:
    """One way around a policy: a flag, a flag with a value, a text in an argument, or a variable."""

    flag: str = ""
    value: str = ""
    text: str = ""
    env: str = ""
    families: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is written in `dangerous_flags`."""
        return f"{self.flag} {self.value}".strip() or self.text or self.env

    def concerns(self, families: Iterable[str]) -> bool:
        """Whether it means something to an agent that goes by any of `families`."""
        return not self.families or not set(self.families).isdisjoint(families)

    def declared(self, dangerous_flags: Iterable[str]) -> bool:
        """Whether `dangerous_flags` says that it is used."""
        said = {flag.replace("=", " ", 1) for flag in dangerous_flags}
        names = {self.name, self.flag or self.name}
        return not said.isdisjoint(names) or any(self.text and self.text in flag for flag in said)

    def found_in(self, argv: Sequence[str]) -> list[int]:
        """The numbers of the arguments that hold it (that end it, where flag and value are two)."""
        return [number for number in range(len(argv)) if self._ends_at(argv, number)]

    def is_argument(self, argv: Sequence[str]) -> bool:
        """Whether it is an argument of its own in `argv`: `--flag`, `--flag=value` or `--flag value`."""
        wanted = [self.flag, self.value] if self.value else [self.flag]
        joined = f"{self.flag}={self.value}"
        alone = any(item == joined or (not self.value and item.startswith(joined)) for item in argv)
        pairs = (list(argv[number : number + len(wanted)]) for number in range(len(argv)))
        return bool(self.flag) and (alone or wanted in pairs)

    def _ends_at(self, argv: Sequence[str], number: int) -> bool:
        if not (self.flag or self.text):
            return False
        if (self.flag or self.text) in argv[number] and self._pattern.search(argv[number]):
            return True
        return bool(self.value) and number > 0 and argv[number - 1 : number + 1] == [self.flag, self.value]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if self.text:
            return re.compile(re.escape(self.text))
        value = rf"[=\s]+[\"']?{re.escape(self.value)}" if self.value else ""
        return re.compile(rf"(?<![\w-]){re.escape(self.flag)}{value}(?![\w-])")


@cache
def _data() -> Any:
    root, problems = read_document(open_source(profiles_dir() / "policy" / "flags.yaml", shipped=True))
    if root is None or problems:
        raise ValueError(f"damaged: profiles/policy/flags.yaml: {problems}")
    return plain(root)


@cache
def banned() -> tuple[Bypass, ...]:
    """Flags that the host refuses whatever is declared."""
    return tuple(Bypass(flag=flag) for flag in _data()["banned"])


@cache
def bypasses() -> tuple[Bypass, ...]:
    """Everything else that bypasses approvals or sandbox."""
    return tuple(_bypass(row) for row in _data()["bypass"])


def refused(argv: Sequence[str], families: Iterable[str], dangerous_flags: Iterable[str]) -> str | None:
    """The flag for which a complete `argv` must not be started, or None.

    The same rules as when the profile was checked, for arguments that only a template's rendering shows;
    texts inside longer arguments are not looked at, since prompts may speak of flags.
    """
    families, declared = set(families), list(dangerous_flags)
    for rule in banned():
        if rule.is_argument(argv):
            return rule.name
    for rule in bypasses():
        if rule.concerns(families) and not rule.declared(declared) and rule.is_argument(argv):
            return rule.name
    return None


def _bypass(row: dict[str, Any]) -> Bypass:
    return Bypass(**{**row, "families": tuple(row.get("families", ()))})
