"""Keeps what git obeys as it was before agents began to work: compared before each call, and put back.

While nobody's code runs, whatever changes is the user's or a host's, and is taken over.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kitty_run.errors import WorkspaceError
from kitty_run.git.guard import governed
from kitty_run.git.guard.excluded import EXCLUDE, with_paths
from kitty_run.git.guard.governed import KeptFile, State
from kitty_run.git.guard.harmless import entries, included, planted
from kitty_run.git.layout import common_dir, git_dir
from kitty_run.machine import fault_of, own_file

BEFORE, FOUND = "git-before.json", "git-found"
"""In the store: what was there before the attempts under way, and what had to be taken away."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back while the attempts `during` were under way; `kept` holds the files as found."""

    changed: tuple[str, ...]
    during: tuple[str, ...]
    kept: Path | None


OnRestored = Callable[[Restored], None]
KILLED = "a run that was killed"
MOST, LONG = 20, 300
"""Changes that are listed one by one, and characters of each."""
DEEP = 10
"""Configurations that include each other are followed so far."""


class Guard:
    """Of the repository at `root`; `store` is a directory outside of it for what must survive a kill."""

    def __init__(self, root: Path, store: Path | None) -> None:
        self._shared = common_dir(git_dir(Path(os.path.realpath(root)))).resolve()
        self._store = store
        self._before: dict[str, KeptFile] = {}
        self._included: tuple[str, ...] = ()
        self._seen: governed.Signature | None = None
        self._at_work: list[str] = []
        self._lock = asyncio.Lock()
        self._unreported: list[Restored] = []
        self.on_restored: OnRestored = self._unreported.append

    def attach(self, on_restored: OnRestored) -> None:
        """From now on call `on_restored` with what is restored, beginning with what was so far."""
        self.on_restored = on_restored
        for restored in self._unreported:
            on_restored(restored)
        self._unreported.clear()

    @asynccontextmanager
    async def watching(self, marker: str) -> AsyncIterator[None]:
        """While code runs that an agent wrote or is; what it changed is put back before this returns."""
        async with self._lock:
            if not self._at_work:
                await self._begin()
            self._at_work.append(marker)
        try:
            await self.check()
            yield
        finally:
            await asyncio.shield(self._leave(marker))

    async def recover(self) -> None:
        """Put back what a killed run's attempts changed, and keep it so until `recovered`."""
        found = self._load()
        if found is not None:
            self._before = found
            self._included = await self._includes(found)
            self._at_work.append(KILLED)
            await self.check()

    async def recovered(self) -> None:
        """Nothing of the killed run is left that could change anything."""
        if KILLED in self._at_work:
            await self._leave(KILLED)

    async def pending(self) -> tuple[str, ...]:
        """What a killed run's attempts changed, and no run has put back yet; nothing is changed."""
        before = self._load()
        if before is None:
            return ()
        now = governed.read(self._shared, await self._includes(before))
        return _named((await self._differing(before, now)).values())

    async def hide(self, paths: Iterable[str]) -> None:
        """Have git not see `paths` of worktrees that it doesn't track; all of them have no line end."""
        async with self._lock:
            if self._at_work:
                await self._compare()
            file = self._shared / EXCLUDE
            with own_file(file):
                data = file.read_bytes() if file.exists() else b""
                if (wanted := with_paths(data, paths)) == data:
                    return
                governed.put(file, KeptFile(wanted, 0o644))
            if self._at_work:
                self._take_over(EXCLUDE, governed.read_one(file))
                self._save()
                self._seen = None

    async def check(self) -> None:
        """Put back what is not as it was; quick where nothing has changed, and while nobody's code runs."""
        if not self._at_work or self._seen == governed.signature(self._shared, self._included):
            return
        async with self._lock:
            if self._at_work:
                await self._compare()

    async def _begin(self) -> None:
        """Take over whatever is there now."""
        self._included = await self._includes(governed.read(self._shared))
        self._seen = governed.signature(self._shared, self._included)
        self._before = governed.read(self._shared, self._included)
        self._save()

    async def _includes(self, state: State) -> tuple[str, ...]:
        """The files that the configuration includes, and those that they include."""
        found: dict[str, None] = {}
        due = [kept.data for path in ("config", "config.worktree") if (kept := state.get(path))]
        for _ in range(DEEP):
            named = [path for data in due for path in included(await entries(data) or (), self._shared)]
            new = [path for path in dict.fromkeys(named) if path not in found]
            found |= dict.fromkeys(new)
            due = [kept.data for path in new if (kept := governed.read_one(Path(path)))]
        return tuple(found)

    async def _leave(self, marker: str) -> None:
        try:
            await self.check()
        finally:
            self._at_work.remove(marker)
            if not self._at_work and self._store is not None:
                (self._store / BEFORE).unlink(missing_ok=True)

    async def _compare(self) -> None:
        seen = governed.signature(self._shared, self._included)
        now = governed.read(self._shared, self._included)
        differing = await self._differing(self._before, now)
        wrong = {path: parts for path, parts in differing.items() if parts}
        for path in differing.keys() - wrong.keys():
            self._take_over(path, now.get(path))
        if len(differing) > len(wrong):
            self._save()
        if wrong:
            self._put_back(wrong, now)
            seen = governed.signature(self._shared, self._included)
        self._seen = seen

    async def _differing(self, before: State, now: State) -> dict[str, tuple[str, ...]]:
        """The files that differ, each with what must be put back of it, which may be nothing."""
        found = {}
        for path in sorted({*before, *now}):
            if (had := before.get(path)) != (has := now.get(path)):
                gone = self._is_of_a_removed_worktree(path)
                found[path] = () if gone else await planted(path, had, has)
        return found

    def _is_of_a_removed_worktree(self, path: str) -> bool:
        parts = path.split("/")
        return parts[0] == "worktrees" and not (self._shared / parts[0] / parts[1]).is_dir()

    def _take_over(self, path: str, found: KeptFile | None) -> None:
        if found is None:
            self._before.pop(path, None)
        else:
            self._before[path] = found

    def _put_back(self, wrong: dict[str, tuple[str, ...]], now: State) -> None:
        kept = self._keep({path: now[path] for path in wrong if path in now})
        for path in wrong:
            try:
                governed.put(self._shared / path, self._before.get(path))
            except OSError as error:
                if fault := fault_of(error, self._shared / path):
                    raise fault from error
                raise WorkspaceError(
                    f"{self._shared / path} was changed while an agent worked, and can't be put back: "
                    f"{error}. No git runs before it is as it was; what it held is in {kept}. Put it right, "
                    "then run again"
                ) from error
        self.on_restored(Restored(_named(wrong.values()), tuple(self._at_work), kept))

    def _keep(self, found: State) -> Path | None:
        """Put what is taken away aside, under names that nothing reads."""
        if self._store is None or not found:
            return None
        folder = self._store / FOUND / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        with own_file(folder):
            folder.mkdir(mode=0o700, parents=True)
            for path, kept in found.items():
                (folder / path.strip("/").replace("/", "_")).write_bytes(kept.data)
        return folder

    def _save(self) -> None:
        if self._store is None:
            return
        record = {
            path: {"data": base64.b64encode(kept.data).decode(), "mode": kept.mode, "link": kept.link}
            for path, kept in self._before.items()
        }
        with own_file(self._store / BEFORE):
            governed.put(self._store / BEFORE, KeptFile(json.dumps(record).encode(), 0o600))

    def _load(self) -> dict[str, KeptFile] | None:
        if self._store is None:
            return None
        try:
            record = json.loads((self._store / BEFORE).read_bytes())
            return {
                path: KeptFile(base64.b64decode(one["data"]), int(one["mode"]), bool(one["link"]))
                for path, one in record.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if fault := fault_of(error, self._store / BEFORE):
                raise fault from error
            return None


def _named(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    every = [text[:LONG] for part in parts for text in part]
    return (*every[:MOST], f"and {len(every) - MOST} more") if len(every) > MOST else tuple(every)


_ACTIVE: list[Guard] = []


@contextmanager
def guarding(guard: Guard) -> Iterator[None]:
    """Have `guard` look before each git command of this process."""
    _ACTIVE.append(guard)
    try:
        yield
    finally:
        _ACTIVE.remove(guard)


async def look() -> None:
    """Before a git command: whatever guards are set look first."""
    for guard in _ACTIVE:
        await guard.check()
