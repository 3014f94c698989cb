"""Where the simulated host keeps lanes: in the prompts' front matter (1.0), or in an event log (3.2)."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kitty_run.host.model import Lane
from kitty_run.host.sim.git import git
from kitty_run.host.sim.missions import Mission, front_matter
from kitty_run.host.sim.state import Call, SimState, SimWorkPackage

_LOG_LINE = re.compile(r"^- \S+ – (.+?) – lane=(\w+) – ", re.MULTILINE)
_API_NAMES = {"doing": "in_progress"}
_FILE_NAMES = {"in_progress": "doing"}


class Store(ABC):
    """A mission's lanes on disk."""

    def __init__(self, mission: Mission) -> None:
        self.mission = mission

    @abstractmethod
    def load(self) -> SimState:
        """The mission as it is on disk."""

    @abstractmethod
    def save(self, before: SimState, after: SimState, call: Call) -> None:
        """Write down what `call` changed, as the real host of this generation does."""

    def planned(self) -> dict[str, SimWorkPackage]:
        """The work packages as they were planned."""
        fronts = {wp: front_matter(prompt) for wp, prompt in self.mission.prompts().items()}
        return {wp: _planned(wp, front) for wp, front in fronts.items()}

    def commit(self, paths: Iterable[Path], message: str) -> None:
        """Commit `paths` on whatever branch is checked out there; nothing where nothing changed."""
        top = self.mission.apart or self.mission.root
        names = [str(path.relative_to(top)) for path in paths]
        git(top, "add", "--", *names)
        if git(top, "status", "--porcelain", "--", *names):
            git(top, "commit", "-q", "-m", message, "--", *names)


class FrontMatterStore(Store):
    """The lane is in the prompt's front matter, its history in an activity log below the text."""

    def load(self) -> SimState:
        found = self.planned()
        for wp, prompt in self.mission.prompts().items():
            lane = str(front_matter(prompt).get("lane", "planned"))
            actors = [actor for actor, _ in _LOG_LINE.findall(prompt.read_text(encoding="utf-8"))]
            actor = actors[-1] if actors else None
            found[wp] = replace(found[wp], lane=Lane(_API_NAMES.get(lane, lane)), actor=actor)
        return SimState(self.mission.slug, found)

    def save(self, before: SimState, after: SimState, call: Call) -> None:
        if call.command == "accept":
            _write_acceptance(self.mission, call)
        prompt = self.mission.prompts().get(call.wp)
        if prompt is None or (before == after and call.command != "append-history"):
            return
        lane = after.work_packages[call.wp].lane
        name = _FILE_NAMES.get(lane.value, lane.value)
        text = prompt.read_text(encoding="utf-8")
        if call.command == "append-history":
            line = f"- [{_now()}] {call.actor}: {call.note}"
        else:
            text = re.sub(r"^lane:.*$", f'lane: "{name}"', text, count=1, flags=re.MULTILINE)
            line = f"- {_now()} – {call.actor} – lane={name} – {call.note or call.command}"
        prompt.write_text(_logged(text, line), encoding="utf-8")
        self.commit([prompt], f"chore: {call.command} {self.mission.slug}/{call.wp} ({lane})")


class EventStore(Store):
    """Lanes are what a log of events comes to; a mission from before mission ids leaves it uncommitted."""

    @property
    def path(self) -> Path:
        return self.mission.status / "status.events.jsonl"

    def load(self) -> SimState:
        state = SimState(self.mission.slug, self.planned())
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        for line in lines:
            state = _replayed(state, json.loads(line))
        return state

    def save(self, before: SimState, after: SimState, call: Call) -> None:
        if call.command == "accept":
            _write_acceptance(self.mission, call)
        if before == after and call.command != "append-history":
            return
        with self.path.open("a", encoding="utf-8") as log:
            log.writelines(json.dumps(event) + "\n" for event in self._events(before, after, call))
        if "mission_id" in self.mission.meta and call.command != "append-history":
            self.commit([self.path], f"chore: {call.command} {self.mission.slug}/{call.wp}")

    def _events(self, before: SimState, after: SimState, call: Call) -> Iterable[Mapping[str, Any]]:
        common = {
            "actor": call.actor or call.agent,
            "at": _now(),
            "mission_slug": self.mission.slug,
            "reason": call.note,
        }
        if call.command == "append-history":
            yield {**common, "event_type": "HistoryAdded", "wp_id": call.wp}
        for wp, new in after.work_packages.items():
            old = before.work_packages[wp]
            if new.lane is not old.lane:
                lanes = {"from_lane": old.lane.value, "to_lane": new.lane.value}
                review = {"review_result": call.review_result, "policy_metadata": call.policy}
                agent = {"agent": new.agent} if new.agent != old.agent else {}
                yield {**common, **lanes, **review, **agent, "wp_id": wp}
            if new.ticked != old.ticked:
                yield {**common, "wp_id": wp, "ticked": sorted(new.ticked)}


def _planned(wp: str, front: Mapping[str, Any]) -> SimWorkPackage:
    names, subtasks = front.get("dependencies") or (), front.get("subtasks") or ()
    return SimWorkPackage(
        wp, dependencies=tuple(map(str, names)), subtasks=tuple(str(name) for name in subtasks)
    )


def _replayed(state: SimState, event: Mapping[str, Any]) -> SimState:
    wp = state.work_packages.get(str(event.get("wp_id")))
    if wp is None:
        return state
    if "ticked" in event:
        wp = replace(wp, ticked=frozenset(event["ticked"]))
    if event.get("to_lane") in set(Lane):
        lane = Lane(event["to_lane"])
        removed = lane is Lane.CANCELED and bool(event.get("reason"))
        agent, actor = event.get("agent") or wp.agent, event.get("actor")
        wp = replace(wp, lane=lane, actor=actor, removed=removed, agent=agent)
    return state.with_wp(wp)


def _logged(text: str, line: str) -> str:
    head = text.rstrip() if "## Activity Log" in text else f"{text.rstrip()}\n\n## Activity Log\n"
    return f"{head}\n{line}\n"


def _write_acceptance(mission: Mission, call: Call) -> None:
    meta = {**mission.meta, "accepted_at": _now(), "accepted_by": call.actor}
    path = mission.directory / "meta.json"
    path.write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
