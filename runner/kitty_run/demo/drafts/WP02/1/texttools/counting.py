"""Counting words."""

from collections import Counter

from texttools.words import words


def most_common(text: str, n: int) -> list[tuple[str, int]]:
    """The `n` most common words of `text` with their counts."""
    return Counter(words(text)).most_common(n)
