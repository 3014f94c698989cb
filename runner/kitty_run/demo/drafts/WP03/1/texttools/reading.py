"""Estimating how long a text takes to read."""

from texttools.words import words


def minutes(text: str, per_minute: int = 200) -> int:
    """Whole minutes to read `text` at `per_minute` words, rounded up."""
    return -(-len(words(text)) // per_minute)
