"""Which of the host's commands will be called is said to whoever starts them, before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git_repos import GitRepo
from tests.host.test_detect import HOST_103, HOST_400, NAMED_400, Asked, Script


@pytest.mark.parametrize(
    ("script", "commands"),
    [(HOST_103, ("orchestrator-api",)), (HOST_400, ("orchestrator-api", "agent"))],
)
def test_the_kinds_of_calls_to_come_are_looked_at_before_anything_is_done(
    tmp_path: Path, script: Script, commands: tuple[str, ...]
) -> None:
    repo = GitRepo(tmp_path / "repo")
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main")
    repo.commit("plan", **{f"kitty-specs/{NAMED_400}/meta.json": '{"topology": "lanes"}'})
    asked, prepared = Asked(repo.path, script), list[tuple[str, ...]]()

    async def prepare(found: tuple[str, ...], cwd: Path, timeout: float) -> None:
        prepared.append(found)

    asked.starter.prepare = prepare  # type: ignore[attr-defined]
    asked.connect()
    assert prepared == [commands]
