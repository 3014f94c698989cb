"""Running a profile's checks."""

from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path

from kitty_run.agents.model import CheckResult
from kitty_run.execution.checks import run_checks
from kitty_run.execution.processes import LocalProcesses
from kitty_run.profile.model import Check

from tests.execution.launching import no_note
from tests.execution.sandbox.confining import unconfined

SOURCE = {"PATH": "/usr/bin:/bin", "HOME": "/h", "MY_API_KEY": "s"}


def results(tmp_path: Path, *checks: Check) -> tuple[CheckResult, ...]:
    logs = tmp_path / "logs"
    logs.mkdir(exist_ok=True)
    told = {"KITTY_WP": "WP01"}
    running = run_checks(
        checks, LocalProcesses(), unconfined(tmp_path), tmp_path, logs, f"m:{tmp_path}", no_note, told, SOURCE
    )
    return asyncio.run(running)


def python(name: str, script: str, timeout: float = 20.0) -> Check:
    return Check(name, (sys.executable, "-c", script), timeout)


def test_all_checks_run_in_the_workspace_and_failures_do_not_stop_the_rest(tmp_path: Path) -> None:
    failing, passing = results(
        tmp_path,
        python("tests", "import sys; print('1 failed'); sys.exit(3)"),
        python("where", "import os; print(os.getcwd())"),
    )
    assert (failing.passed, failing.ending, failing.status, failing.tail) == (False, "exit", 3, "1 failed")
    assert passing.passed
    assert passing.tail == str(tmp_path)


def test_both_streams_go_to_one_private_log_that_is_never_overwritten(tmp_path: Path) -> None:
    check = python("unit tests/x", "import os; os.write(1, b'out '); os.write(2, b'err')")
    [first], [second] = results(tmp_path, check), results(tmp_path, check)
    assert first.log.read_text() == second.log.read_text() == "out err"
    assert first.log != second.log
    assert first.log.parent == tmp_path / "logs"
    assert stat.S_IMODE(first.log.stat().st_mode) == 0o600


def test_keys_of_the_runner_stay_out(tmp_path: Path) -> None:
    [result] = results(tmp_path, python("env", "import os; print(sorted(os.environ))"))
    assert "MY_API_KEY" not in result.tail
    assert "HOME" in result.tail
    assert "KITTY_WP" in result.tail


def test_a_check_that_hangs_or_is_not_there_fails(tmp_path: Path) -> None:
    hanging, missing = results(
        tmp_path, python("slow", "import time; time.sleep(60)", 0.3), Check("gone", ("no-such-command",))
    )
    assert (hanging.passed, hanging.ending) == (False, "timeout")
    assert (missing.passed, missing.ending) == (False, "not_installed")
    assert "no-such-command" in missing.tail


def test_of_a_flood_the_end_is_shown(tmp_path: Path) -> None:
    [result] = results(tmp_path, python("flood", "for n in range(100_000): print(n)"))
    assert result.tail.endswith("99999")
    assert len(result.tail.splitlines()) <= 80
