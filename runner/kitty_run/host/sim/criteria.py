"""The simulated host's acceptance criteria: in the file of the mission in which a real host keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from kitty_run.host.envelope import COMMAND_FAILED
from kitty_run.host.sim.git import git
from kitty_run.host.sim.missions import Mission
from kitty_run.host.sim.state import Answer, Call


def open_criteria(mission: Mission) -> tuple[str, ...]:
    """The ids of those that nobody has settled as passed."""
    return tuple(
        str(one.get("criterion_id")) for one in _matrix(mission)["criteria"] if one.get("pass_fail") != "pass"
    )


def settle(mission: Mission, call: Call, answer: Answer) -> Answer:
    """Write the result of one criterion, and commit it."""
    matrix = _matrix(mission)
    found = next((one for one in matrix["criteria"] if one.get("criterion_id") == call.criterion), None)
    if found is None:
        return Answer(COMMAND_FAILED, {}, f"Unknown criterion '{call.criterion}'")
    found.update(pass_fail=call.result, evidence=call.evidence_text, verified_by=call.actor)
    path = _path(mission)
    path.write_text(json.dumps(matrix, indent=2) + "\n", encoding="utf-8")
    top = mission.apart or mission.root
    git(top, "add", "--", str(path))
    git(top, "commit", "-q", "-m", f"chore: {call.criterion}={call.result}", "--", str(path))
    return replace(answer, data={**answer.data, "mission": mission.slug})


def _path(mission: Mission) -> Path:
    return mission.status / "acceptance-matrix.json"


def _matrix(mission: Mission) -> dict[str, Any]:
    if not _path(mission).is_file():
        return {"criteria": []}
    found: dict[str, Any] = json.loads(_path(mission).read_text(encoding="utf-8"))
    return found
