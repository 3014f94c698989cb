"""Events of a run with one attempt, for tests that need some: change what matters with `replace`."""

from __future__ import annotations

from pathlib import Path

from kitty_run.engine.state.events import AttemptEnded, AttemptStarted, RunStarted

RUN = RunStarted("demo", "p.yaml", "0", "feature", "1.0", "lanes", 1, "here", {})
ATTEMPT = AttemptStarted(
    "WP01", "implement", "ada", "ada", 1, 1, (), Path("a.log"), Path("a.md"), marker="run/WP01/implement-1"
)
ENDED = AttemptEnded(
    "WP01",
    role="implement",
    agent="ada",
    attempt=1,
    failure=None,
    rule="",
    ending="exit",
    status=0,
    signal=None,
    seconds=0.0,
    log=Path("a.log"),
    session=None,
    cost_usd=None,
    input_tokens=None,
    output_tokens=None,
    resets_at=None,
)
