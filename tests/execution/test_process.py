"""How agents' processes are started, watched and ended."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import psutil
import pytest
from kitty_run.agents.model import Started
from kitty_run.execution.processes import LaunchError, LocalProcesses, end_leftovers
from kitty_run.machine import MachineFault

from tests.execution.launching import launch, no_note, run

pytestmark = pytest.mark.heavy

IGNORE_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
LEAVE_GRANDCHILD = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {code!r}], start_new_session={session}, env={env})
print(child.pid, flush=True)
{then}
"""


def survivors(log: Path) -> list[int]:
    """The pids printed to `log` that still live."""
    return [pid for pid in map(int, log.read_text().split()) if alive(pid)]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until_written(log: Path, lines: int = 1) -> None:
    while not log.exists() or len(log.read_text().splitlines()) < lines:
        await asyncio.sleep(0.01)


def test_output_goes_to_private_new_files_byte_for_byte(tmp_path: Path) -> None:
    script = r"import sys; sys.stdout.buffer.write(b'\xff\x00ok'); print('e', file=sys.stderr)"
    ended = run(launch(tmp_path, script))
    assert (ended.ending, ended.status, ended.signal) == ("exit", 0, None)
    assert ended.stdout.read_bytes() == b"\xff\x00ok"
    assert ended.stderr.read_bytes() == b"e\n"
    assert stat.S_IMODE(ended.stdout.stat().st_mode) == 0o600
    assert stat.S_IMODE(ended.stderr.stat().st_mode) == 0o600


def test_one_file_takes_both_streams(tmp_path: Path) -> None:
    log = tmp_path / "both.log"
    script = "import os; os.write(1, b'out '); os.write(2, b'err ')"
    run(launch(tmp_path, script, stdout=log, stderr=log))
    assert log.read_text() == "out err "


def test_an_existing_log_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.log").write_text("precious")
    with pytest.raises(MachineFault, match=r"out\.log"):
        run(launch(tmp_path, "print('x')"))
    assert (tmp_path / "out.log").read_text() == "precious"


def test_stdin_is_the_whole_file_and_else_ends_at_once(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt"
    prompt.write_text("do it")
    echo = "import sys; print(repr(sys.stdin.read()))"
    assert run(launch(tmp_path, echo, stdin=prompt)).stdout.read_text() == "'do it'\n"
    ended = run(launch(tmp_path, echo, stdout=tmp_path / "o2", stderr=tmp_path / "e2"))
    assert ended.stdout.read_text() == "''\n"


def test_environment_is_as_given_plus_the_marker(tmp_path: Path) -> None:
    script = (
        "import os; print(sorted(n for n in os.environ if n != 'LC_CTYPE'), os.environ['KITTY_RUN_ATTEMPT'])"
    )
    ended = run(launch(tmp_path, script, env={"A": "1"}, marker="m-1"))
    assert ended.stdout.read_text() == "['A', 'KITTY_RUN_ATTEMPT'] m-1\n"


def test_a_crash_is_recognized_by_its_signal(tmp_path: Path) -> None:
    ended = run(launch(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert (ended.ending, ended.status, ended.signal) == ("signal", None, 9)


@pytest.mark.parametrize("content", [None, "", "not a program"])
def test_a_command_that_cannot_be_executed_is_not_installed(tmp_path: Path, content: str | None) -> None:
    command = tmp_path / "agent"
    if content is not None:
        command.write_text(content)
        command.chmod(0o755 if content else 0o644)
    ended = run(launch(tmp_path, "", argv=(str(command),)))
    assert (ended.ending, ended.status) == ("not_installed", None)
    assert str(command) in ended.stderr.read_text()


def test_a_missing_workspace_is_not_taken_for_a_missing_command(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="workspace"):
        run(launch(tmp_path, "pass", cwd=tmp_path / "gone"))


def test_arguments_beyond_the_systems_limit_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="prompt: stdin"):
        run(launch(tmp_path, "pass", argv=(sys.executable, "-c", "pass", "x" * 4_000_000)))


def test_the_wall_clock_ends_an_agent_that_ignores_sigterm(tmp_path: Path) -> None:
    script = IGNORE_TERM + "import os; print(os.getpid(), flush=True); time.sleep(60)"
    ended = run(launch(tmp_path, script, timeout=1.5))
    assert (ended.ending, ended.status) == ("timeout", None)
    assert survivors(ended.stdout) == []


def test_sigterm_comes_first_so_that_an_agent_can_clean_up(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('tidy'), sys.exit(0)))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    ended = run(launch(tmp_path, script, timeout=1.5, kill_grace=10.0))
    assert ended.ending == "timeout"
    assert ended.stdout.read_text() == "ready\ntidy\n"


def test_silence_ends_an_agent_and_output_keeps_it(tmp_path: Path) -> None:
    silent = run(launch(tmp_path, "import time; time.sleep(60)", idle_timeout=0.3))
    assert silent.ending == "idle"
    talking = "import sys, time\nfor _ in range(20): print('.', file=sys.stderr, flush=True); time.sleep(0.1)"
    logs = {"stdout": tmp_path / "o2", "stderr": tmp_path / "e2"}
    assert run(launch(tmp_path, talking, idle_timeout=1.5, **logs)).ending == "exit"


@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize("then", ["", "import time; time.sleep(60)"])
def test_grandchildren_end_with_the_attempt(tmp_path: Path, session: bool, then: str) -> None:
    code = IGNORE_TERM + "time.sleep(60)"
    script = LEAVE_GRANDCHILD.format(code=code, session=session, env=None, then=then)
    ended = run(launch(tmp_path, script, timeout=1.5))
    assert ended.ending == ("timeout" if then else "exit")
    assert ended.stdout.read_text().strip()
    assert survivors(ended.stdout) == []


def test_a_child_without_marker_and_session_is_known_from_before_its_parent_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitty_run.execution.processes.TICK", 0.1)
    monkeypatch.setattr("kitty_run.execution.process_tree.SCAN_SHARE", 0)
    script = LEAVE_GRANDCHILD.format(
        code="import time; time.sleep(60)", session=True, env={}, then="import time; time.sleep(1)"
    )
    ended = run(launch(tmp_path, script))
    assert ended.ending == "exit"
    assert survivors(ended.stdout) == []


def test_other_processes_are_left_alone(tmp_path: Path) -> None:
    async def scenario() -> bool:
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
        await LocalProcesses().run(launch(tmp_path, "print('x')"), no_note)
        still_there = alive(other.pid)
        other.kill()
        await other.wait()
        return still_there

    assert asyncio.run(scenario())


def test_cancelling_ends_the_tree_before_it_is_raised(tmp_path: Path) -> None:
    code = IGNORE_TERM + "time.sleep(60)"
    script = IGNORE_TERM + LEAVE_GRANDCHILD.format(
        code=code, session=True, env=None, then="print(os.getpid(), flush=True); time.sleep(60)"
    )

    async def scenario() -> list[int]:
        one = launch(tmp_path, script)
        running = asyncio.create_task(LocalProcesses().run(one, no_note))
        await until_written(one.stdout, lines=2)
        running.cancel()
        await asyncio.sleep(0)
        running.cancel()  # the impatient second time changes nothing
        with pytest.raises(asyncio.CancelledError):
            await running
        return survivors(one.stdout)

    assert asyncio.run(scenario()) == []


def test_a_failing_journal_ends_the_attempt(tmp_path: Path) -> None:
    async def full(started: Started) -> None:
        (tmp_path / "pid").write_text(str(started.pid))
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        asyncio.run(LocalProcesses().run(launch(tmp_path, "import time; time.sleep(60)"), full))
    assert survivors(tmp_path / "pid") == []


def test_the_start_is_reported_with_pid_and_start_time(tmp_path: Path) -> None:
    async def note(started: Started) -> None:
        seen.append((started, psutil.Process(started.pid).create_time()))

    seen: list[tuple[Started, float]] = []
    asyncio.run(LocalProcesses().run(launch(tmp_path, "import time; time.sleep(0.1)"), note))
    [(started, created)] = seen
    assert started.created == created


def test_many_run_at_once_on_one_executor(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        executor = LocalProcesses()
        launches = [
            launch(
                tmp_path,
                f"print({n})",
                stdout=tmp_path / f"{n}.out",
                stderr=tmp_path / f"{n}.err",
                marker=f"{tmp_path}-{n}",
            )
            for n in range(20)
        ]
        exits = await asyncio.gather(*(executor.run(one, no_note) for one in launches))
        return [ended.stdout.read_text().strip() for ended in exits]

    assert asyncio.run(scenario()) == [str(n) for n in range(20)]


def test_a_flood_of_output_stays_on_disk(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    script = "import os\nblock = b'x' * 1_000_000\nfor _ in range(200): os.write(1, block)"
    ended = run(launch(tmp_path, script))
    assert ended.stdout.stat().st_size + ended.left_out == pytest.approx(200_000_000, abs=200)
    assert psutil.Process().memory_info().rss - before < 50_000_000
    ended.stdout.unlink()


def spawn(tmp_path: Path, script: str, marker: str) -> psutil.Process:
    """A process in a session of its own, as a killed run would leave it."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", script],
        {"KITTY_RUN_ATTEMPT": marker},
        file_actions=actions,
        setsid=True,
    )
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return psutil.Process(pid)


READY = IGNORE_TERM + "print('r', flush=True); time.sleep(60)"


def test_what_a_killed_run_left_is_found_by_pid_and_start_time(tmp_path: Path) -> None:
    left = spawn(tmp_path, READY, "unknown")
    ended = asyncio.run(end_leftovers([Started(left.pid, left.create_time())], [], grace=0.1))
    assert ended == 1
    assert left.wait() is not None


def test_what_a_killed_run_left_is_found_by_marker(tmp_path: Path) -> None:
    marker = f"left:{tmp_path}"
    left = spawn(tmp_path, READY, marker)
    assert asyncio.run(end_leftovers([], [marker], grace=0.1)) == 1
    assert left.wait() is not None


def test_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    other = spawn(tmp_path, READY, "unknown")
    stale = Started(other.pid, other.create_time() - 60)
    assert asyncio.run(end_leftovers([stale], ["elsewhere"], grace=0.1)) == 0
    assert other.is_running()
    other.kill()
    other.wait()
