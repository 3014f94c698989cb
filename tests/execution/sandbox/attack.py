"""What hostile code tries from inside a sandbox; run as a script, it prints what it got as JSON.

Arguments: a JSON object of what there is outside. Nothing here writes to what it could open.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000}
PTRACE_ATTACH, MS_REMOUNT, MS_BIND = 16, 32, 4096
KEYCTL_READ, KEYCTL_SEARCH, SESSION = 11, 10, -3
KEYCTL = {"x86_64": 250, "aarch64": 219}


def tries(what: Callable[[], object]) -> str:
    try:
        return str(what())
    except OSError as error:
        return type(error).__name__


def called(result: int) -> str:
    return "done" if result >= 0 else os.strerror(ctypes.get_errno())


def opened_for_writing(root: str) -> list[str]:
    """Files below `root` that could be written to, links and own processes aside."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not (root == folder == "/proc" and name.isdigit())]
        if root == "/proc":
            folders[:] = [name for name in folders if name not in {"self", "thread-self", "net", "sys"}]
        for path in (os.path.join(folder, name) for name in names):
            if os.path.islink(path):
                continue
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                found.append(path)
            except OSError:
                pass
    return found


def environments(secret: str) -> list[str]:
    """Processes whose environment holds `secret`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if secret.encode() in path.read_bytes():
                found.append(str(path))
        except OSError:
            pass
    return found


def connected(address: object, family: socket.AddressFamily = socket.AF_INET) -> str:
    with socket.socket(family) as one:
        one.settimeout(5)
        return tries(lambda: one.connect(address) or "connected")  # type: ignore[arg-type, func-returns-value]


def key(name: str) -> str:
    """A key of the session that started the sandbox."""
    number = KEYCTL[os.uname().machine]
    found = LIBC.syscall(number, KEYCTL_SEARCH, SESSION, b"user", name.encode(), 0)
    return called(found)


def main(outside: dict[str, str]) -> dict[str, object]:
    pid = int(outside["pid"])
    home = Path(os.environ["HOME"])
    return {
        "files": {name: tries(lambda name=name: (home / name).read_text()) for name in outside["files"]},
        "written": [path for path in outside["paths"] if tries(lambda path=path: _write(path)) == "done"],
        "proc": opened_for_writing("/proc"),
        "proc/sys": opened_for_writing("/proc/sys"),
        "sys": opened_for_writing("/sys"),
        "environments": environments(outside["secret"]),
        "signal": tries(lambda: os.kill(pid, signal.SIGCONT)),
        "ptrace": called(LIBC.ptrace(PTRACE_ATTACH, pid, 0, 0)),
        "namespaces": {name: called(LIBC.unshare(flag)) for name, flag in NEW_NAMESPACES.items()},
        "remount": called(LIBC.mount(b"none", b"/usr", None, MS_REMOUNT | MS_BIND, None)),
        "device": tries(lambda: os.mknod("/tmp/device", 0o60600, os.makedev(8, 0))),
        "terminal": tries(lambda: os.open("/dev/tty", os.O_RDWR)),
        "terminals": sorted(name for name in os.listdir("/dev/pts") if name.isdigit()),
        "loopback": connected(("127.0.0.1", int(outside["port"]))),
        "path socket": connected(outside["socket"], socket.AF_UNIX),
        "abstract socket": connected("\0" + outside["abstract"], socket.AF_UNIX),
        "key": key(outside["key"]),
        "disks": [str(path) for path in Path("/dev").rglob("*") if path.is_block_device()],
        "user": os.getuid(),
        "capabilities": _capabilities(),
    }


def _write(path: str) -> str:
    with open(path, "a"):
        return "done"


def _capabilities() -> list[str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return sorted({line.split()[1] for line in lines if line.startswith("Cap")})


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
