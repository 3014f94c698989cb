"""Profiles made to take memory or time without end are refused in bounded memory, each with what is wrong."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy

MEMORY = 1 << 30
"""Bytes of address space: what a sound profile takes is a tenth of it."""

HEAD = "version: 1\nextends: preset:claude\n"


def bomb(folder: Path) -> str:
    levels = [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 12)]
    return HEAD + "l0: &l0 [x]\n" + "\n".join(levels)


def chain(folder: Path, length: int, last: str) -> str:
    for number in range(1, length):
        follows = f"extends: part{number + 1}.yaml\n" if number + 1 < length else last
        (folder / f"part{number}.yaml").write_text(f"version: 1\n{follows}", encoding="utf-8")
    return "version: 1\nextends: part1.yaml\n"


def large(folder: Path) -> str:
    return HEAD + "description: " + "x" * 100_000_000


def many_agents(count: int) -> str:
    return HEAD + "agents:\n" + "".join(f"  a{number}: {{command: [a]}}\n" for number in range(count))


def success(pattern: str) -> str:
    return HEAD + f"agents: {{claude: {{success: {{match: '{pattern}'}}}}}}"


HOSTILE: dict[str, tuple[Callable[[Path], str], str]] = {
    "aliases": (bomb, "aliases"),
    "large file": (large, "larger than 1 MiB"),
    "deep lists": (lambda _: HEAD + "description: " + "[" * 100_000, "maximum nesting depth"),
    "deep maps": (lambda _: HEAD + "description: " + "{a: " * 50_000, "nested deeper than 64 levels"),
    "large number": (lambda _: HEAD + "version: " + "9" * 500_000, "a number of 500000 characters"),
    "large power": (lambda _: HEAD + "limits: {cost_usd: 1e999}", "1e999 is too large a number"),
    "large duration": (lambda _: HEAD + "limits: {wall_clock: 9999999999999h}", "is not a duration"),
    "large concurrency": (
        lambda _: HEAD + f"concurrency: {{work_packages: {10**18}}}",
        "concurrency/work_packages",
    ),
    "many agents": (lambda _: many_agents(20_000), "too many values"),
    "circle": (lambda folder: chain(folder, 5, "extends: part1.yaml\n"), "extends itself"),
    "long chain": (lambda folder: chain(folder, 1000, ""), "made of more than 100 files"),
    "endless pattern": (
        lambda _: success("(a+)+$"),
        "a pattern without end",
    ),
    "large pattern": (
        lambda _: success("(" * 5000),
        "not a regular",
    ),
    "device": (lambda _: "version: 1\nextends: /dev/zero\n", "larger than 1 MiB"),
}


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_profile_is_refused_with_what_is_wrong(tmp_path: Path, name: str) -> None:
    text, told = HOSTILE[name]
    profile = tmp_path / "profile.yaml"
    profile.write_text(text(tmp_path), encoding="utf-8")
    argv = [sys.executable, "-m", "kitty_run", "validate", str(profile)]
    done = subprocess.run(argv, cwd=tmp_path, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert told in done.stderr + done.stdout, done.stderr[-2000:]
    assert done.returncode == 2
    assert len(done.stderr) < 200_000
