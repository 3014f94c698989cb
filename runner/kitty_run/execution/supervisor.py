"""The process between the runner and an agent or a check, which inherits whatever the agent leaves behind.

Started by its path with a bare interpreter: `supervisor.py FD JOB [RECORD]`, two descriptors and a file. From
JOB it reads the command and its environment, so that neither is this process's own. As a "child subreaper"
(Linux, see prctl(2)) it becomes the parent of every daemon below it, whatever session that began and
however it cleared its environment, so that the runner finds it as a descendant. On FD it writes the line
`started`, or `errno N` where the command can't be executed, and later the command's exit code (negative: a
signal). It ends when nothing is left below it. Where the runner is gone by the time that the command ends,
it writes how that ended into RECORD, which must not exist, and ends the rest itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""
TIED = "--die-with-parent"
"""Of bubblewrap: what it confines ends with its parent. That is this process: it ends with its own."""
KEYCTL = {"x86_64": 250, "i686": 288, "armv7l": 311, "ppc64le": 271, "s390x": 280}
"""The number of keyctl(2); elsewhere it is that of the generic table."""
GENERIC_KEYCTL, JOIN_SESSION_KEYRING = 219, 1
GRACE, POLL = 5.0, 0.05


def main(arguments: list[str]) -> int:
    """Run the command, and stay until nothing is left of it."""
    report, record = int(arguments[0]), arguments[2] if len(arguments) > 2 else None
    os.set_inheritable(report, False)
    command, environment = _job(int(arguments[1]))
    prctl(SET_CHILD_SUBREAPER, 1)
    if TIED.encode() in command:
        prctl(SET_PDEATHSIG, signal.SIGKILL)
        _leave_keyring()
    # The whole session gets the runner's signals; this process ends last. Handlers are not inherited.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)
    try:
        os.environ.clear()
        os.environb.update(environment)  # its PATH is where the command is looked for
        child = os.posix_spawnp(command[0], command, environment, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
    except OSError as error:
        _report(report, f"errno {error.errno}")
        return 1
    begun = time.monotonic()
    if not _report(report, "started"):
        record = None
        _end_all()  # the runner was killed meanwhile: nobody knows of the command yet
    while True:
        try:
            ended, status = os.wait()
        except ChildProcessError:
            return 0
        if ended == child and not _report(report, str(code := os.waitstatus_to_exitcode(status))):
            if record is not None:
                _keep(record, f"{code} {time.monotonic() - begun:.3f}")
            _end_all()


def prctl(option: int, value: int) -> bool:
    """One call of prctl(2); whether it worked."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return call is not None and call(option, value, 0, 0, 0) == 0


def _leave_keyring() -> None:
    """Begin a session keyring without keys: the kernel hands the old one down, into a sandbox too."""
    number = KEYCTL.get(os.uname().machine, GENERIC_KEYCTL)
    ctypes.CDLL(None).syscall(number, JOIN_SESSION_KEYRING, 0)


def _job(descriptor: int) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Command and environment: how many words there are, the words, the variables; each ends with a zero."""
    with os.fdopen(descriptor, "rb") as file:
        items = file.read().split(b"\0")[:-1]
    count = int(items[0])
    pairs = (item.partition(b"=") for item in items[count + 1 :])
    return items[1 : count + 1], {name: value for name, _, value in pairs}


def _report(report: int, line: str) -> bool:
    """Write `line`; False: nobody reads it any more."""
    try:
        os.write(report, f"{line}\n".encode())
    except BrokenPipeError:
        return False
    return True


def _keep(record: str, line: str) -> None:
    """Write `line` for the next run; what is there already says that the command was cut off."""
    with suppress(OSError):
        file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.write(file, f"{line}\n".encode())
        os.close(file)


def _end_all() -> None:
    """End every descendant: those whose parent ends become children of this process."""
    deadline = time.monotonic() + GRACE
    signalled: set[int] = set()
    while children := _children():
        late = time.monotonic() >= deadline
        for pid in children if late else children - signalled:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        signalled |= children
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(POLL)


def _children() -> set[int]:
    own = str(os.getpid())
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
            state, parent = file.read().rpartition(b")")[2].decode().split()[:2]
            if parent == own and state != "Z":
                found.add(int(name))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
