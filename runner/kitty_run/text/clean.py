"""The one way of a text from an agent, a host or a repository to people, to the journal and to the host."""

from __future__ import annotations

from kitty_run.text.characters import visible
from kitty_run.text.secrets import mask

ROOM = 16_000
"""Characters of a reason that are kept where it is printed or written down."""


def clean(text: str) -> str:
    """`text` with nothing in it that drives a terminal, and with all that is known as a secret masked."""
    return mask(visible(text))


def shortened(text: str, room: int = ROOM) -> str:
    """`clean(text)`; of more than `room` characters the beginning, and how many there were more."""
    # Cut with some to spare before, so that no time is spent on what is not shown.
    kept = clean(text[: 2 * room])
    more = len(text) - 2 * room if len(text) > 2 * room else 0
    if len(kept) <= room and not more:
        return kept
    more += max(len(kept) - room, 0)
    return f"{kept[:room]} … ({more} more characters)"
