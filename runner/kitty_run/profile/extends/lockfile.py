"""`kitty-run.lock`: which commit each git source of a profile means, and the digest of its files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kitty_run.errors import UsageError
from kitty_run.profile.extends.sources import GitSource, Pin, cached_tree, read_tree, tree_digest
from kitty_run.profile.validation.problems import Problem, ProfileInvalid
from kitty_run.profile.yaml.position import Place, Source, display
from kitty_run.profile.yaml.reader import Unreadable, open_source, read_document
from kitty_run.profile.yaml.tree import ListNode, MapNode, Node, ScalarNode, list_items, plain, pointer
from kitty_run.text.commands import command

NAME = "kitty-run.lock"
_HEAD = "# Written by `kitty-run lock`. Commit it; don't edit it.\nversion: 1\nsources:\n"
_FIELDS = {
    "source": re.compile(r"git\+\S+\Z"),
    "commit": re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z"),
    "digest": re.compile(r"sha256:[0-9a-f]{64}\Z"),
}


def lock_path(profile: Path) -> Path:
    """Where the lock of `profile` is: beside it."""
    return profile.parent / NAME


def read_lock(path: Path) -> dict[str, Pin]:
    """The pins by source; none where there is no file. Raises `ProfileInvalid` for one that is damaged."""
    if not path.exists():
        return {}
    try:
        source = open_source(path)
    except Unreadable as error:
        raise ProfileInvalid([error.problem]) from error
    root, problems = read_document(source)
    if root is None or problems:
        raise ProfileInvalid(problems)
    return _pins(source, root)


def _pins(source: Source, root: MapNode) -> dict[str, Pin]:
    version, sources = root.get("version"), root.get("sources")
    hint = "restore it from version control, or write it anew with `kitty-run lock PROFILE --update`"
    if not isinstance(version, ScalarNode) or version.value != 1 or not isinstance(sources, ListNode):
        raise ProfileInvalid([Problem.at(Place(source), "", "not a lock file of version 1", hint)])
    pins = {}
    for number, item in list_items(sources):
        pin = _pin(item)
        if pin is None:
            raise ProfileInvalid([Problem.at(item.place, pointer(("sources", number)), "not a pin", hint)])
        pins[pin.source] = pin
    return pins


def _pin(item: Node) -> Pin | None:
    value = plain(item)
    if not isinstance(value, dict) or value.keys() != _FIELDS.keys():
        return None
    if not all(isinstance(value[key], str) and form.match(value[key]) for key, form in _FIELDS.items()):
        return None
    return Pin(**value)


def write_lock(path: Path, pins: Iterable[Pin]) -> None:
    """Write `pins`, sorted; the old file is replaced at once or not at all."""
    entries = [
        f"  - source: {pin.source}\n    commit: {pin.commit}\n    digest: {pin.digest}\n"
        for pin in sorted(pins, key=lambda pin: pin.source)
    ]
    text = _HEAD.rstrip("\n") + " []\n" if not entries else _HEAD + "".join(entries)
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)  # noqa: PTH105 - atomic by definition


@dataclass
class Locked:
    """Finds git sources as the lock pins them, in the cache only: nothing is fetched."""

    path: Path
    _pins: dict[str, Pin] | None = None

    def tree(self, source: GitSource) -> Path:
        """The directory of the source's files; ValueError (message, newline, hint) where it can't be used."""
        if self._pins is None:
            self._pins = read_lock(self.path)
        todo = f"run `{command('kitty-run', 'lock', display(self.path.parent / 'PROFILE'))}`"
        pin = self._pins.get(source.text)
        if pin is None:
            raise ValueError(f"is not locked in {display(self.path)}\n{todo}")
        root = cached_tree(source.text, pin.commit)
        if not root.is_dir():
            raise ValueError(f"commit {pin.commit[:12]} is not in the cache\n{todo}, which fetches it")
        found = tree_digest(read_tree(root))
        if found != pin.digest:
            raise ValueError(f"its content changed: {pin.digest} is locked, {found} is in the cache\n{todo}")
        return root


@dataclass
class Locker:
    """Finds git sources by fetching them, and collects the pins; with `update`, pins move."""

    pins: dict[str, Pin]
    update: bool
    found: dict[str, Pin] = field(default_factory=dict)

    def tree(self, source: GitSource) -> Path:
        """The directory of the source's files, fetched; ValueError where a pin would have to move."""
        from kitty_run.profile.extends.fetch import FetchFailed, fetch

        if source.text in self.found:
            return cached_tree(source.text, self.found[source.text].commit)
        try:
            commit, files = fetch(source)
        except FetchFailed as error:
            raise ValueError(str(error).removeprefix(f"{source.text}: ")) from error
        pin = Pin(source.text, commit, tree_digest(files))
        old = self.pins.get(source.text)
        if old is not None and old != pin and not self.update:
            moved = (
                f"{old.commit[:12]} with {old.digest} is locked, it is {commit[:12]} with {pin.digest} now"
            )
            raise ValueError(f"moved: {moved}\n`kitty-run lock --update` takes the new one")
        self.found[source.text] = pin
        return _store(cached_tree(source.text, commit), files)


def _store(root: Path, files: dict[str, bytes]) -> Path:
    """Put `files` into the cache; other processes see them all or none."""
    if root.is_dir() and read_tree(root) == files:
        return root
    new = root.with_name(f"{root.name}.{os.getpid()}")
    try:
        for path, data in files.items():
            target = new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        if root.exists():
            shutil.rmtree(root)
        new.rename(root)
    except OSError as error:
        raise UsageError(f"{root}: the cache can't be written: {error.strerror}") from error
    return root
