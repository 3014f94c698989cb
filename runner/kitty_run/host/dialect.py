"""Dialects: how one generation of hosts is called; data of `profiles/hosts/`, read by `dialect_files`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kitty_run.host.criteria import CriteriaFile, Criterion
from kitty_run.host.demands.layout import Layout, Missing
from kitty_run.host.model import Convention, Topology, Traits
from kitty_run.host.readiness import Readiness
from kitty_run.host.template import Item, fill

READS = frozenset({"state", "ready", "locate"})
"""The operations that change nothing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step's command line (see `template`), and what its reply looks like."""

    argv: tuple[Item, ...]
    reply: Literal["envelope", "object"] = "envelope"


@dataclass(frozen=True, slots=True)
class Fields:
    """Names in replies that differ between generations; None where the reply does not say."""

    mission: str
    branch: str | None
    base: str | None
    merged: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A topology, and the values in a mission's `meta.json` that show it (`*`: any but null)."""

    topology: Topology
    match: Mapping[str, str]

    def fits(self, meta: Mapping[str, object]) -> bool:
        """Whether a mission with this `meta.json` has this shape."""
        return all(_agrees(meta.get(key), wanted) for key, wanted in self.match.items())


@dataclass(frozen=True, slots=True)
class Tested:
    """What a whole mission was finished on: a range of contract versions, and the newest host of it."""

    contract: str
    host: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """A host generation that is supported."""

    name: str
    title: str
    contract: str
    install: str
    tested: Tested
    operations: Mapping[str, Operation | None]
    fields: Fields
    prompt: tuple[str, ...]
    convention: Convention | None
    lanes: str | None
    traits: Traits
    shapes: tuple[Shape, ...]
    not_found: frozenset[str]
    precise: tuple[str, ...] = ()
    """Fields of a refusal's data that hold a code which says more than its `error_code`."""
    readiness: Readiness | None = None
    criteria_file: CriteriaFile | None = None
    layout: Layout | None = None

    @property
    def probe(self) -> tuple[Item, ...]:
        """The call that only hosts of this generation answer, given their contract version."""
        return self.operation("state").argv

    @property
    def commands(self) -> tuple[str, ...]:
        """The host's top-level commands that are called, each once."""
        found = (operation.argv[0] for operation in self.operations.values() if operation)
        return tuple(dict.fromkeys(word for word in found if isinstance(word, str)))

    def operation(self, name: str) -> Operation:
        """The operation `name`; LookupError where this generation has none."""
        found = self.operations.get(name)
        if found is None:
            raise LookupError(f"{self.title} has no step {name!r}")
        return found

    def prompt_file(self, repo: Path, mission: str, wp: str) -> Path | None:
        """The prompt file of `wp`, found by this generation's names; None where there is none."""
        patterns = (fill(pattern, {"mission": mission, "wp": wp}) for pattern in self.prompt)
        return next((path for pattern in patterns for path in sorted(repo.glob(pattern))), None)

    def workspaces(self, repo: Path, mission: str, wps: Sequence[str]) -> Mapping[str, str]:
        """The workspace's name of each of `wps` that is known before a claim: by convention or `lanes`."""
        convention = self.convention or self.topology(repo, mission).own_worktree
        if convention is not None:
            return {wp: fill(convention.workspace, {"mission": mission, "wp": wp}) for wp in wps}
        manifest = _meta(repo / fill(self.lanes, {"mission": mission})) if self.lanes else {}
        found = _lanes(manifest.get("lanes"))
        return {wp: found[wp] for wp in wps if wp in found}

    def topology(self, repo: Path, mission: str) -> Topology:
        """The shape of `mission`, from its `meta.json` in `repo`; the last one where there is none."""
        meta = _meta(repo / "kitty-specs" / mission / "meta.json")
        fitting = (shape.topology for shape in self.shapes if shape.fits(meta))
        return next(fitting, self.shapes[-1].topology)

    def criteria(self, repo: Path, mission: str) -> tuple[Criterion, ...]:
        """The mission's acceptance criteria as they are now; none where this generation has none."""
        if self.criteria_file is None:
            return ()
        apart, file = (
            self.topology(repo, mission).status_at,
            fill(self.criteria_file.file, {"mission": mission}),
        )
        places = [repo / fill(apart, {"mission": mission}), repo] if apart else [repo]
        path = next((place / file for place in places if (place / file).is_file()), repo / file)
        return self.criteria_file.read(path)

    def missing_folders(self, repo: Path, mission: str) -> Missing:
        """The folders without which `mission` would not be accepted, and that are not there."""
        meta = _meta(repo / "kitty-specs" / mission / "meta.json")
        return Missing() if self.layout is None else self.layout.missing(repo, mission, meta)

    def merge_recorded(self, repo: Path, mission: str) -> bool | None:
        """Whether the host's own record says that `mission` is merged; None where it is not to be asked."""
        key = self.topology(repo, mission).merge_record
        meta = _meta(repo / "kitty-specs" / mission / "meta.json") if key else {}
        return bool(meta.get(key)) if key else None

    def by_hand(self, mission: str, criterion: str) -> str:
        """The command by which a person settles `criterion`; empty where this generation has none."""
        names = {"mission": mission, "criterion": shlex.quote(criterion)}
        return fill(self.criteria_file.by_hand, names) if self.criteria_file else ""

    def target(self, repo: Path, mission: str) -> str | None:
        """The branch that the `meta.json` of `mission` names for its merge; None where it names none."""
        named = _meta(repo / "kitty-specs" / mission / "meta.json").get("target_branch")
        return named if isinstance(named, str) and named else None


@dataclass(frozen=True, slots=True)
class Refused:
    """A generation that is recognised only to be refused."""

    name: str
    title: str
    contract: str
    install: str
    probe: tuple[Item, ...]
    because: str


def _meta(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _lanes(entries: object) -> dict[str, str]:
    """The lane of each work package in a manifest's list of lanes; what doesn't read so is left out."""
    lanes = [lane for lane in entries if isinstance(lane, dict)] if isinstance(entries, list) else []
    return {
        wp: str(lane["lane_id"])
        for lane in lanes
        if lane.get("lane_id") and isinstance(lane.get("wp_ids"), list)
        for wp in lane["wp_ids"]
        if isinstance(wp, str)
    }


def _agrees(value: object, wanted: str) -> bool:
    return value is not None if wanted == "*" else value == wanted
