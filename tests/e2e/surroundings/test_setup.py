"""Repositories whose tests need something installed in every worktree; it lists nothing in `.gitignore`."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.bench import mission
from tests.e2e.conftest import MakeBench
from tests.hosts import MISSION_HOST, SIMULATED_MISSION

VENV = (
    '"$0" -m venv --without-pip .venv && for site in .venv/lib/python*/site-packages; do'
    ' echo "$PWD/lib" > "$site/local.pth"; done'
)
"""A virtual environment with a package of the repository's own, made without network."""
PACKAGE = {"name": "demo", "version": "1.0.0", "dependencies": {"greeting": "file:js/greeting"}}
LOCK = {
    "name": "demo",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {
        "": PACKAGE,
        "js/greeting": {"version": "1.0.0"},
        "node_modules/greeting": {"resolved": "js/greeting", "link": True},
    },
}
FILES = {
    "lib/greeting.py": "TEXT = 'hello'\n",
    "package.json": json.dumps(PACKAGE),
    "package-lock.json": json.dumps(LOCK),
    "js/greeting/package.json": json.dumps({"name": "greeting", "version": "1.0.0", "main": "index.js"}),
    "js/greeting/index.js": "module.exports = 'hello'\n",
}
NPM = shutil.which("npm")
STAND_IN = (
    "mkdir node_modules && ln -s ../js/greeting node_modules/greeting && echo '{}' >> package-lock.json"
)
"""What `npm install` leaves, where there is no npm: a changed lock file, too."""


def shell(name: str, script: str, *words: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "command": ["sh", "-c", script, *words], **more}


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(SIMULATED_MISSION, marks=pytest.mark.whole),
        pytest.param(MISSION_HOST, marks=pytest.mark.slow),
    ],
)
def test_tests_that_need_dependencies_pass_in_every_worktree(bench: MakeBench, version: str) -> None:
    spec = mission({"WP01": (), "WP02": ("WP01",)}, "lanes")
    made = bench(version, replace(spec, files={**spec.files, **FILES}))
    node = shell("node", f"{STAND_IN}; test -e node_modules/greeting")
    if NPM is not None:
        offline = ["npm", "ci", "--offline", "--no-audit", "--no-fund"]
        node = {"name": "node", "command": offline, "inputs": ["package-lock.json"]}
    made.profile["workspace"] = {"setup": [shell("venv", VENV, sys.executable), node]}
    made.profile["roles"]["implement"]["checks"] = [
        {"name": "python", "command": [".venv/bin/python", "-c", "import greeting; print(greeting.TEXT)"]},
        shell("node", "test -f node_modules/greeting/index.js"),
    ]
    ran = made.run()
    assert ran.status == 0, ran.text
    assert made.tree() == made.written()
    ended = made.events("setup.ended")
    assert [event["name"] for event in ended] == [
        "venv",
        "node",
    ] * 4  # two worktrees, two reviewers' checkouts
    assert all(event["passed"] for event in [*ended, *made.events("check.ended")])
    assert "list it in .gitignore" in ran.text
