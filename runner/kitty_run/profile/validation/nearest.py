"""What a wrong word was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `choices` that is nearest to `word`, whatever their capitals, or None."""
    from difflib import get_close_matches

    by_folded = {choice.lower(): choice for choice in choices}
    found = get_close_matches(word.lower(), list(by_folded), 1, cutoff)
    return by_folded[found[0]] if found else None


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint: the one of `choices` that `word` was meant to be, or all of them."""
    choices = list(choices)
    if found := near(word, choices):
        return f"did you mean {found!r}?"
    return "there are " + ", ".join(choices) if choices else ""
