"""Counting words."""

from collections import Counter

from texttools.words import words


def most_common(text: str, n: int) -> list[tuple[str, int]]:
    """The `n` most common words of `text` with their counts; those of one count in alphabetical order."""
    counts = Counter(words(text))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]
