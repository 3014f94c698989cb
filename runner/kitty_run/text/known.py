"""What this process knows of its own surroundings: values that are secret, and places that are none.

Shapes of secrets are guesses. A value that the profile passes to agents is known to be one, whatever it looks
like; a path that the runner or the person named is known to be none, though a part of it looks like a key: a
command that is shown must still lead there when it is pasted. What an agent writes is never known.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kitty_run.text.characters import visible

SHORTEST = 8
"""Characters; a shorter value is in ordinary text by chance."""
LINE = 16
"""Characters of a line of a secret with several lines that is masked by itself."""

_SECRET_NAME = re.compile(
    r"(?i)pass|pwd|secret|token|credential|auth|private|cert|(?:^|_)(?:pat|key|keys|pin)(?:_|$)|apikey|dsn"
)
_SETTING = re.compile(
    r"(?i)\A(?:path|home|user|logname|shell|lang|language|lc_\w+|tz|term\w*|colorterm|tmpdir|temp|tmp|pwd|oldpwd"
    r"|editor|pager|visual|display|hostname|no_proxy|ci|debug|xdg_\w+|\w+_(?:home|dir|path|region|model|log"
    r"|level|version|mode|name|host|port|timeout|endpoint|base|url))\Z"
)
"""Names of variables that hold settings, not secrets."""
_WORD = re.compile(r"[A-Za-z]+(?:[ _.-][A-Za-z]+)*\Z")
_WITH_LOGIN = re.compile(r"://[^\s/@]+@")


@dataclass(frozen=True, slots=True)
class Known:
    """Values to be masked wherever they are, and names of places that nothing inside of is masked."""

    values: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def secret(self) -> re.Pattern[str] | None:
        """Any of the values."""
        return _any_of(self.values)

    def place(self) -> re.Pattern[str] | None:
        """Any of the places."""
        return _any_of(self.places)


NOTHING = Known()

_known: ContextVar[Known] = ContextVar("_known", default=NOTHING)


def known() -> Known:
    """What is known here and now."""
    return _known.get()


@contextmanager
def knowing(values: Iterable[str] = (), places: Iterable[object] = ()) -> Iterator[None]:
    """Meanwhile the secret `values` and the own `places` (paths, a mission's name) are known, too."""
    before = _known.get()
    added = {form for value in values for form in _forms(value)}
    named = {text for place in places if len(text := str(place)) >= SHORTEST}
    token = _known.set(Known(_longest({*before.values, *added}), _longest({*before.places, *named})))
    try:
        yield
    finally:
        _known.reset(token)


def secret_values(names: Iterable[str], environ: Mapping[str, str]) -> Iterator[str]:
    """The values of the variables `names` that are not to be seen.

    Those are the values of variables with a name like a secret's, and all others that look like neither a
    setting, nor a path, nor words.
    """
    for name in names:
        value = environ.get(name, "").strip()
        if len(value) >= SHORTEST and _is_secret(name, value):
            yield value


def _is_secret(name: str, value: str) -> bool:
    first = Path(value.split(os.pathsep, 1)[0])
    if value.startswith(("/", "~/", "./")) and os.path.lexists(first.expanduser()):
        return False
    if _SECRET_NAME.search(name) or _WITH_LOGIN.search(value):
        return True
    plain = value.startswith(("http://", "https://")) or _WORD.match(value) or value.isdecimal()
    return not (plain or _SETTING.match(name))


def _forms(value: str) -> Iterator[str]:
    """The value as it can be in a text: as it is, in JSON, in an address, and each of its longer lines."""
    value = visible(value).strip()
    if len(value) < SHORTEST:
        return
    yield from {value, json.dumps(value)[1:-1], quote(value, safe=""), quote(value)}
    if "\n" in value:
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= LINE)


def _longest(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _any_of(texts: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, texts))) if texts else None
