"""The runs of a repository as kitty-run wrote them, for those who only look: nothing is changed.

A journal in the repository can be written by whatever runs there. Where its lines are kept outside
(`digest_chain`), those are shown, and a difference is reported.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kitty_run.engine.state.digest_chain import READY, Chain, chain_of, chains, store_of
from kitty_run.engine.state.journal import Contents, parse, scan
from kitty_run.engine.state.private_files import ForeignState, check, read_bytes
from kitty_run.engine.state.run_directory import RunPlace, run_place, runs
from kitty_run.engine.state.witness import complete, difference
from kitty_run.text.clean import clean


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """What kitty-run wrote into a journal; `notice` says what is wrong with the file, else it is empty."""

    contents: Contents
    notice: str = ""


class OwnRuns:
    """The runs of `repo`, oldest first in `places`; `notices` says what is there and is not believed."""

    def __init__(self, repo: Path) -> None:
        self.notices: list[str] = []
        found = runs(repo)  # before the chains: a run that begins now has its chain first
        self._store = self._opened(repo, found)
        known = self._store is not None and (self._store / READY).exists()
        ours = [place for place in found if not known or self._chain(place)]
        for place in found:
            if place not in ours:
                text = f"{place.journal} was not written by kitty-run and is not believed"
                self.notices.append(clean(f"{text}; the next start moves it aside"))
        self.places = tuple(sorted((*ours, *self._lost(repo, found)), key=lambda place: place.id))

    def journal(self, place: RunPlace) -> OwnJournal:
        """The journal of `place`; raises `JournalError` for one that nothing is known of and can't be read.

        A run may write meanwhile, first into the chain, then into the file. So the file has at least what
        the chain had before it was read, but for a last line, and at most what the chain has afterwards.
        """
        chain = self._chain(place)
        if chain is None:
            unknown = f"{place.journal} is not verified: nothing is known outside of the repository of it"
            return OwnJournal(scan(place.journal), clean(unknown))
        before = chain.lines()
        found, cause = _read(place)
        lines = chain.lines()
        whole = b"".join(lines)
        least = sum(map(len, before[:-1]))
        right = whole.startswith(found) and len(found) >= least and not cause
        wrong = "" if right else _notice(place, cause or difference(lines, found))
        return OwnJournal(parse(place.journal, whole), wrong)

    def latest(self) -> RunPlace | None:
        """The run that was worked on last; None where there is none."""
        return max(self.places, key=lambda place: self.written(place).st_mtime_ns, default=None)

    def written(self, place: RunPlace) -> os.stat_result:
        """Size and times of what is believed: of the chain, else of the file."""
        chain = self._chain(place)
        return (chain.path if chain else place.journal).stat()

    def _opened(self, repo: Path, found: list[RunPlace]) -> Path | None:
        try:
            store = store_of(repo)
            check(store, directory=True)
        except FileNotFoundError:
            return None
        except (OSError, ForeignState) as error:
            if found:
                self.notices.append(clean(f"what is kept outside of the repository can't be read: {error}"))
            return None
        return store

    def _lost(self, repo: Path, there: list[RunPlace]) -> list[RunPlace]:
        """Runs without a journal, but for those that came to their end and were tidied up."""
        known = () if self._store is None else tuple(chains(self._store))
        places = (run_place(repo, run) for run, _ in known)
        return [place for place in places if place not in there and self._is_missed(place)]

    def _is_missed(self, place: RunPlace) -> bool:
        chain = self._chain(place)
        lines = chain.lines() if chain else []
        return bool(lines) and (place.directory.exists() or not complete(lines[-1]))

    def _chain(self, place: RunPlace) -> Chain | None:
        chain = None if self._store is None else chain_of(self._store, place.id)
        return chain if chain and chain.path.exists() else None


def _read(place: RunPlace) -> tuple[bytes, str]:
    """What the journal's file holds, nothing where there is none, and why it can't be read."""
    try:
        return read_bytes(place.journal), ""
    except FileNotFoundError:
        return b"", ""
    except (OSError, ForeignState) as error:
        return b"", f"it can't be read: {error}"


def _notice(place: RunPlace, what: str) -> str:
    return clean(
        f"{place.journal} is not as kitty-run wrote it: {what}. What is shown is what kitty-run wrote; the "
        "next start restores the file"
    )
