"""A program is asked for its version without trusting that it answers, ends, or even starts."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from kitty_run.doctor.command import output, version

from tests.doctor.conftest import Install


def test_the_first_line_is_the_version(install: Install) -> None:
    command = install("ada", "echo '  ada 2.1  '; echo built yesterday")
    assert asyncio.run(version("ada")) == (str(command), "ada 2.1")


def test_a_program_that_fails_at_it_is_found_all_the_same(install: Install) -> None:
    command = install("ada", "echo no such option; exit 2")
    assert asyncio.run(version("ada")) == (str(command), "says no version")


def test_a_program_that_is_not_there_is_none(install: Install) -> None:
    assert asyncio.run(version("ada")) is None


def test_a_path_of_its_own_counts_and_not_the_users(install: Install, tmp_path: Path) -> None:
    install("ada")
    assert asyncio.run(version("ada", str(tmp_path))) is None


def test_a_program_that_cannot_start_says_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    broken.chmod(0o755)
    assert asyncio.run(output(str(broken))) is None


def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import pathlib, subprocess, sys, time\n"
        "other = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(other.pid))\n"
        "time.sleep(600)\n"
    )

    assert asyncio.run(output(sys.executable, "-c", code, timeout=10.0)) is None
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(pid.read_text())).wait(timeout=30)


def test_bytes_that_are_no_text_do_no_harm(install: Install) -> None:
    install("ada", r"printf 'ada \377 1\n'")
    found = asyncio.run(version("ada"))
    assert found is not None
    assert found[1] == "ada \ufffd 1"
