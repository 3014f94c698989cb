"""A real host's worktree that git was killed in the middle of making: the mission still merges whole."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from kitty_run.demo.spec import Topology

from tests.e2e.bench import Bench, mission
from tests.e2e.conftest import MakeBench
from tests.e2e.places import PLACE, SIMULATED, SIMULATED_LANES, later

HOSTS = [SIMULATED, SIMULATED_LANES, *later("lanes")]
GIT = """\
#!/bin/sh
# The git of the tests, but the first `worktree add` is cut off: no file of many, no index but its lock.
here=$(dirname "$0")
case " $* " in
  *" worktree add "*)
    if mkdir "$here/cut" 2>/dev/null; then
      {git} "$@" || exit
      common=$({git} rev-parse --path-format=absolute --git-common-dir)
      for own in "$common"/worktrees/*; do
        tree=$(dirname "$(cat "$own/gitdir")")
        find "$tree/many" -type f -delete
        rm "$own/index"
        : > "$own/index.lock"
        printf initializing > "$own/locked"
        echo "$tree" >> "$here/made"
      done
      kill -9 $PPID
      exit 137
    fi ;;
esac
exec {git} "$@"
"""


@pytest.mark.parametrize(PLACE, HOSTS)
def test_a_worktree_cut_off_while_it_is_made_is_made_whole(
    bench: MakeBench, version: str, topology: Topology | None
) -> None:
    it = bench(version, mission({"WP01": ()}, topology))
    many = _many_files(it)
    shim = it.room / "shim"
    shim.mkdir()
    git = shutil.which("git")
    assert git is not None
    (shim / "git").write_text(GIT.replace("{git}", git), encoding="utf-8")
    (shim / "git").chmod(0o755)
    env = {**it.host.env, "PATH": f"{shim}{os.pathsep}{it.host.env['PATH']}"}
    it.host = replace(it.host, env=env)
    it.end(it.start())  # its git kills whoever called it, which on some hosts is the runner
    last = it.run()
    assert (shim / "made").read_text(encoding="utf-8").strip()
    assert last.status == 0, last.text
    assert it.events("workspace.repaired")
    assert many <= set(it.tree())


def _many_files(it: Bench) -> set[str]:
    names = {f"many/{number}.txt" for number in range(30)}
    for name in names:
        path = Path(it.root) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n", encoding="utf-8")
    it.git("add", "many")
    it.git("commit", "-q", "-m", "many files")
    return names
