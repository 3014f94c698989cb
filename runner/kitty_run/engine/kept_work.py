"""The journal's word of what is kept before it is taken out of a workspace."""

from __future__ import annotations

from kitty_run.engine.state.events import WorkKept
from kitty_run.engine.state.journal import Journal
from kitty_run.git.protocols import Kept

MOST_NAMED = 20
"""Files that the event names; of more it has the number."""


def record_kept(journal: Journal, wp: str, kept: Kept) -> None:
    """Have the journal say where something of `wp` is kept, before it is taken away."""
    journal.write(
        WorkKept(
            wp,
            ref=kept.ref,
            commit=kept.commit,
            why=kept.why,
            count=len(kept.files),
            files=kept.files[:MOST_NAMED],
            folder=kept.folder,
        )
    )
