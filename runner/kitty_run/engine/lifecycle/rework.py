"""Beginning a round of rework: the verdict becomes the implementer's feedback."""

from __future__ import annotations

from kitty_run.agents.model import Finding
from kitty_run.engine.context import Run
from kitty_run.engine.state.events import ReworkStarted
from kitty_run.engine.state.work_package_memory import WorkPackageMemory


def is_rejected(memory: WorkPackageMemory) -> bool:
    """Whether the last verdict asks for changes and no round of rework has begun on it yet."""
    return memory.verdict is not None and memory.verdict.verdict == "changes_requested"


def begin_rework(run: Run, wp: str) -> None:
    """Open the next cycle with the whole verdict as its feedback."""
    memory = run.remember(wp)
    run.journal.write(ReworkStarted(wp, cycle=memory.cycle + 1, feedback=feedback_of(memory)))


def feedback_of(memory: WorkPackageMemory) -> str:
    """The remembered verdict as text: the summary, and every finding with its place."""
    verdict = memory.verdict
    if verdict is None:
        return ""
    return "\n".join([verdict.summary.strip(), *(_finding(finding) for finding in verdict.findings)])


def _finding(finding: Finding) -> str:
    place = finding.file or ""
    if place and finding.line is not None:
        place += f":{finding.line}"
    severity = f"[{finding.severity}] " if finding.severity else ""
    return f"- {severity}{place + ': ' if place else ''}{finding.message}"
