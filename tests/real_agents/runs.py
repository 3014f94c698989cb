"""Whole runs of a preset, and whether each went as it must."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from kitty_run.agents.model import Verdict, added
from kitty_run.agents.results import verdict
from kitty_run.execution.sandbox.bubblewrap import unavailable
from kitty_run.execution.sandbox.confine import needed
from kitty_run.profile.model import FailureClass

from tests.real_agents.cases import NO_SUCCESS, Case, cases
from tests.real_agents.catalog import Mock
from tests.real_agents.installing import Installed
from tests.real_agents.presets import Preset
from tests.real_agents.service import CODE, DONE
from tests.real_agents.table import Row
from tests.real_agents.trial import Seen, Trial

AT_ONCE = 3
"""Runs at a time: most of one is waiting."""


def runs(preset: Preset, mock: Mock, cli: Installed, folder: Path) -> Iterator[Row]:
    """A row for each case, in their order."""

    def row(numbered: tuple[int, Case]) -> Row:
        number, case = numbered
        place = folder / str(number)
        place.mkdir()
        if case.bare:
            return _row(Trial(replace(preset, model=(), set={}), Mock(), cli, place, case))
        return _row(Trial(preset, mock, cli, place, case))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(row, enumerate(cases(preset, mock)))


def _row(trial: Trial) -> Row:
    family, case, profile = trial.preset.family, trial.case, trial.profile
    confined = needed(profile.agents[family], profile.policy)
    if confined and (reason := unavailable()):
        return Row(family, case.what, None, f"inside the runner's sandbox: {reason}")
    seen = trial.run()
    wrong = _wrong(case, seen)
    outcome = f"{seen.outcome.failure or 'success'} ({seen.outcome.rule[:50]})"
    place = ", in the runner's sandbox" if seen.confined else ""
    told = f"; {wrong}; it said: {_last_words(trial.folder)}" if wrong else ""
    return Row(family, case.what, not wrong, f"{outcome}, {_did(seen)}{place}{told}")


def _wrong(case: Case, seen: Seen) -> str:
    """What is not as it must be; empty where all is."""
    outcome = seen.outcome.failure or "success"
    if outcome not in {case.outcome, *(FailureClass if case.outcome == NO_SUCCESS else ())}:
        return f"should be {case.outcome}"
    if seen.wrote != case.writes or (case.role == "review" and seen.left):
        return "should write" if case.writes else "should write nothing"
    if seen.reached != bool(case.reaches):
        return "should reach the network" if case.reaches else "should reach no network"
    if case.again and not seen.resumed:
        return "should go on in the same session"
    if case.outcome == "success":
        return ", ".join(f"no {name}" for name in _untold(case, seen))
    return ""


def _is_verdict(message: str | None) -> bool:
    return isinstance(verdict.judge(None, CODE, message), Verdict)


def _untold(case: Case, seen: Seen) -> Iterator[str]:
    """What the outcome lacks: what was said, a reviewer's verdict in it, what the preset's `output` maps."""
    output, outcome = seen.agent.output, seen.outcome
    if DONE not in (outcome.message or ""):
        yield "message"
    elif case.role == "review" and not _is_verdict(outcome.message):
        yield "verdict"
    for name in ("session", "cost_usd"):
        if getattr(output, name) and getattr(outcome, name) is None:
            yield name
    tokens = added(outcome.models)
    for name in ("input_tokens", "output_tokens"):
        if output.reports(name) and getattr(tokens, name) is None:
            yield name


def _did(seen: Seen) -> str:
    reached = ", reached the network" if seen.reached else ""
    return f"wrote {', '.join(seen.left) or ('outside' if seen.wrote else 'nothing')}{reached}"


def _last_words(folder: Path) -> str:
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    return " / ".join(log.read_text(encoding="utf-8", errors="replace").strip()[-300:] for log in logs)
