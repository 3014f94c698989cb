"""What a process is known by beside its pid, whatever happens to the clock."""

from __future__ import annotations

from pathlib import Path

import psutil

BOOT = Path("/proc/sys/kernel/random/boot_id")
START = 19
"""The field `starttime` of proc_pid_stat(5), counted behind the name: clock ticks since the boot."""


def identity(pid: int) -> str | None:
    """The boot of the machine and the start of `pid` since then; None: there is no such process, or a zombie.

    Where there is no `/proc`, it is the start time that the kernel wrote down when the process began.
    """
    try:
        if BOOT.exists():
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return None if fields[0] == b"Z" else f"{BOOT.read_text().strip()}/{int(fields[START])}"
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.3f}"
    except (OSError, psutil.Error):
        return None
