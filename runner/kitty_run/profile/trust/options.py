"""Which options of its family an argument may be, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kitty_run.profile.trust.families import Family, Touching

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_KEY = re.compile(r"\s*([^=]+?)\s*(?:=|\Z)")


@dataclass(frozen=True, slots=True)
class Found:
    """An argument that touches policy: `option` as the family names it, `row` why, `setting` its key."""

    option: str
    row: Touching
    setting: str = ""

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.option} {self.setting}".strip()


def touching(family: Family, arguments: Sequence[str], number: int) -> Found | None:
    """What the argument `number` of `arguments` is, where it touches policy.

    Every way to read it counts: what follows an option may be its value, or an option, by the parser.
    """
    argument = arguments[number]
    for option, value in readings(family, argument):
        if row := family.why(option):
            return Found(option, row)
        if option in family.settings.options:
            following = arguments[number + 1] if number + 1 < len(arguments) else ""
            if key := _setting(family, following if value is None else value):
                return Found(option, Touching((option,), "sets what holds its policy"), key)
    return None


def readings(family: Family, argument: str) -> Iterator[tuple[str, str | None]]:
    """The options that `argument` may be, by their full names, each with the value that is joined to it."""
    if argument.startswith("--") and len(argument) > 2:
        name, equals, value = argument.partition("=")
        for one in _names(family, name):
            yield one, value if equals else None
    elif argument.startswith("-") and len(argument) > 1:
        yield from _short(family, argument)


def _names(family: Family, name: str) -> Iterator[str]:
    """The long options that `name` may mean."""
    parser, spelled = family.parser, [name]
    if parser.camel_case:
        spelled.append("--" + _CAPITAL.sub(lambda found: f"-{found[1].lower()}", name[2:]))
    if parser.negates:
        spelled += [f"--{one[5:]}" for one in spelled if one.startswith("--no-")]
    yield from spelled
    if parser.abbreviates and not set(spelled) & family.known:
        yield from (option for one in spelled for option in sorted(family.known) if option.startswith(one))


def _short(family: Family, argument: str) -> Iterator[tuple[str, str | None]]:
    """The options of one dash: alone, with their value joined, or several of them."""
    name, equals, value = argument.partition("=")
    yield name, value if equals else None
    if name in family.known or not family.parser.bundles:
        return
    for at, letter in enumerate(argument[1:], 2):
        option = f"-{letter}"
        yield option, argument[at:].removeprefix("=")
        if not letter.isalnum() or option in family.with_value or option in family.settings.options:
            return


def _setting(family: Family, text: str) -> str:
    """The key that `text` sets, where it touches policy; a template may be any key."""
    match = _KEY.match(text)
    key = re.sub(r"[\s\"']", "", match[1] if match else "").lower()
    if "{{" in key or "{%" in key:
        return text
    found = any(fnmatchcase(key, pattern) for pattern in family.settings.touches)
    return key if found else ""


def is_harmless(family: Family, arguments: Sequence[str], number: int) -> int:
    """How many arguments from `number` on are an option known to touch nothing; 0 where they are none."""
    argument = arguments[number]
    name, equals, value = argument.partition("=")
    if name in family.switches and not equals:
        return 1
    if name in family.with_value:
        if equals and name.startswith("--"):
            return int(_is_plain(value))
        return 2 * int(not equals and number + 1 < len(arguments) and _is_plain(arguments[number + 1]))
    if argument in family.settings.options and number + 1 < len(arguments):
        return 2 * int(_spares(family, arguments[number + 1]))
    return 0


def _is_plain(value: str) -> bool:
    """Whether it is a value whatever the parser: some take one that begins with a dash for an option."""
    return not value.startswith(("-", "@")) and not is_template(value)


def _spares(family: Family, text: str) -> bool:
    key, equals, value = text.partition("=")
    return bool(equals) and key in family.settings.harmless and not is_template(value)


def is_template(text: str) -> bool:
    """Whether a run makes something else of `text`."""
    return "{{" in text or "{%" in text or "{#" in text
