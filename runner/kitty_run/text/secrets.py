"""Known shapes of secrets, and values known to be secret: masked in whatever leaves by `clean`.

The raw log keeps them, for its owner only (mode 0600). Masking is a net, not a wall: a secret of an
unknown shape passes; the wall is the environment's allow-list.
"""

from __future__ import annotations

import re

from kitty_run.text.known import known

MASK = "***"
LONGEST_KEY = 16_000
"""Characters of a private key in one line."""

_END = r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_LOGIN = r"(?:passw(?:or)?d|passphrase|pwd(?!=/))"
_KEY = (
    r"(?:secret|token|credentials?|api[_-]?key|access[_-]?key|account[_-]?key|auth[_-]?key|private[_-]?key"
    r"|shared[_-]?access[_-]?(?:key|signature)|client[_-]?secret)"
)
_IS = r"[\w-]{0,20}[\\\"']{0,3}\s{0,3}(?:=>|[=:])\s{0,3}"
"""From the name of a value to the value."""

SHAPES = (
    r"(?<![A-Za-z0-9-])sk-[A-Za-z0-9_-]{16,}",
    r"sk-(?:ant|proj|or|svcacct|admin)-[A-Za-z0-9_-]{16,}",
    r"sk-(?=[A-Za-z_-]{0,200}[0-9])(?=[a-z0-9_-]{0,200}[A-Z])[A-Za-z0-9_-]{32,}",
    r"[sr]k_live_[A-Za-z0-9]{16,}",
    r"(?<![A-Za-z0-9])[sr]k_test_[A-Za-z0-9]{16,}",
    r"whsec_[A-Za-z0-9+/]{24,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"(?:SK|AC)[0-9a-f]{32}",
    r"gh[pousr]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_-]{16,}",
    r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}",
    r"(?<=hooks\.slack\.com/)(?:services|workflows)/[A-Za-z0-9/]{20,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9/+]{1,40}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"(?<!sha512-)(?<![A-Za-z0-9+])[A-Za-z0-9+/]{86}==",
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    r"(?:pypi-|fk-|sgamp_|shpat_|dckr_pat_|lin_api_)[A-Za-z0-9_-]{24,}",
    r"(?:npm|hf|dop_v1|key)_[A-Za-z0-9]{24,}",
    r"eyJ[A-Za-z0-9_-]{8,512}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{8,}){1,3}",
    rf"-----BEGIN [A-Z ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:{_END}|\Z)",
    r"(?<=://)[^\s/:@]{0,256}:[^\s/]+(?=@)",
    r"(?<=://)[^\s/:@]{16,256}(?=@)",
)
"""Keys of model services, payments, forges, clouds, mailers and package registries, JSON web tokens, private
keys, and logins in addresses: masked as a whole."""

NAMED = (
    rf"({_LOGIN}{_IS})(?:\\?\"[^\"\n\\]{{4,400}}|'[^'\n]{{4,400}}|(?!\$[{{(]?\w|<)[^\s\"',;&]{{4,}})",
    r"(\bauthorization[\\\"']{0,3}\s?[:=]\s?[\\\"']{0,3}(?:basic|bearer|token)\s+)[^\s\"',;]{6,}",
    r"(\bbearer )[A-Za-z0-9._~+/=-]{12,}",
    r"(\bx-api-key: )\S{8,}",
    r"((?:secret|aws)[\w -]{0,30}key[^A-Za-z0-9/+]{1,8})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    r"((?:account|shared_?access_?)key=)[A-Za-z0-9+/]{40,}={0,2}",
    r"([?&;]sig=)[A-Za-z0-9%+/=_-]{20,}",
    r"(twilio[\w -]{0,30}[^\w]{1,6})[0-9a-f]{32}",
    rf"({_KEY}{_IS}[\\\"']{{0,2}})(?=[^\s\"',;&]{{0,200}}[0-9])(?=[^\s\"',;&]{{0,200}}[A-Za-z])[A-Za-z0-9+][^\s\"',;&]{{15,}}",
    r"(--(?:[a-z0-9-]{0,30}-)?(?:password|passwd|token|api-key|secret)(?:=|\s))(?![<$-])[^\s\"']{6,}",
)
"""Values that follow a name which says what they are, in any case: the name (the group) stays."""

_PATTERNS = (
    re.compile("|".join(f"(?:{shape})" for shape in SHAPES)),
    *(re.compile(shape, re.IGNORECASE) for shape in NAMED),
)
_KEY_END = re.compile(_END)
_KEY_WORDS = re.compile(r"(?:(?<!\S)[+\"'-]{0,3}[A-Za-z0-9+/=]{16,}[\s\"'\\,]{0,20})+\Z")

Spans = list[tuple[int, int]]


def mask(text: str) -> str:
    """`text` with all that is a known secret, or has the shape of one, replaced by `***`.

    Inside of a place that is known (`known.knowing`) nothing is masked. Masking twice changes nothing.
    """
    while (masked := _once(text)) != text:
        text = masked  # what is shorter now may show another one
    return text


def _once(text: str) -> str:
    secret = known().secret()
    for pattern in (secret, *_PATTERNS) if secret else _PATTERNS:
        places = _places(text)
        text = pattern.sub(lambda found, places=places: _replaced(found, places), text)  # type: ignore[misc]
    return _without_key_ends(text)


def _places(text: str) -> Spans:
    place = known().place()
    return [found.span() for found in place.finditer(text)] if place else []


def _replaced(found: re.Match[str], places: Spans) -> str:
    start, end = found.span()
    if any(begin <= start and end <= stop for begin, stop in places):
        return found[0]
    return f"{found[1] if found.re.groups else ''}{MASK}"


def _without_key_ends(text: str) -> str:
    """A private key of which only the end is there, since a log was cut: its lines are masked as well."""
    *befores, rest = _KEY_END.split(text)
    return "".join(f"{_before_key_end(before)}{MASK}" for before in befores) + rest


def _before_key_end(text: str) -> str:
    lines = text.split("\n")
    lines[-1] = _without_key_words(lines[-1])
    while len(lines) > 1 and not lines[-1].strip(" \t>|\"'+-"):
        lines.pop()
        lines[-1] = _without_key_words(lines[-1])
    return "\n".join(lines)


def _without_key_words(line: str) -> str:
    start = max(len(line) - LONGEST_KEY, 0)
    return line[:start] + _KEY_WORDS.sub("", line[start:])
