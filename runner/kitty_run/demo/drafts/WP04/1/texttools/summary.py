"""A text in one line."""

from texttools.counting import most_common
from texttools.reading import minutes
from texttools.words import words


def summary(text: str) -> str:
    """How many words, how long to read, and the three most common words."""
    common = ", ".join(f"{word} ({count})" for word, count in most_common(text, 3))
    return f"{len(words(text))} words, {minutes(text)} min to read, most common: {common or 'none'}"
