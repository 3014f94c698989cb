"""Which executor a profile gets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kitty_run.engine.state.run_directory import RunPlace
from kitty_run.execution.executors import open_executor
from kitty_run.execution.local import LocalExecutor
from kitty_run.execution.protocol import Site
from kitty_run.profile.load import load

EXAMPLES = Path(__file__).resolve().parents[1] / "profiles" / "valid"


@pytest.mark.parametrize("settings", [[], [("/executor", "local")], [("/executor", "{kind: local}")]])
def test_by_default_in_a_word_or_in_full_it_is_this_machine(
    settings: list[tuple[str, str]], tmp_path: Path
) -> None:
    config = load(EXAMPLES / "minimal.yaml", settings).profile.executor
    assert config.kind == "local"
    site = Site(tmp_path, RunPlace, lambda: datetime.now(UTC), {})  # type: ignore[arg-type]
    assert isinstance(asyncio.run(open_executor(config, site)), LocalExecutor)
