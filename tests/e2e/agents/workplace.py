"""Where an agent works, what it wrote there, and the records of it in the test's room."""
# ruff: noqa: T201 - agents speak

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOM = Path(sys.argv[1])


WP = os.environ["KITTY_WP"]


HERE = Path(os.environ["KITTY_WORKSPACE"])


CYCLE = os.environ["KITTY_CYCLE"]


ATTEMPT = int(os.environ["KITTY_ATTEMPT"])


IDENTITY = ("-c", "user.name=Agent", "-c", "user.email=agent@example.invalid")


written: dict[str, bytes | None] = {}


def put(name: str, content: str | bytes) -> None:
    """Write a file of the work and remember it."""
    data = content.encode() if isinstance(content, str) else content
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    written[name] = data


def link(name: str, target: str) -> None:
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    written[name] = b"-> " + target.encode()


def git(*args: str, check: bool = True) -> None:
    subprocess.run(("git", *IDENTITY, *args), cwd=HERE, check=check, stdout=subprocess.DEVNULL)


def work() -> None:
    """What the work package asks for, different in each cycle."""
    put(f"{WP}.txt", f"{WP} in cycle {CYCLE}\n")
    put(f"src/{WP.lower()}/code.py", f"PART = {WP!r}\nCYCLE = {CYCLE}\n")
    print("it is written")


def note(what: str, role: str = "implement") -> None:
    line = {
        "what": what,
        "role": role,
        "wp": WP,
        "attempt": ATTEMPT,
        "pid": os.getpid(),
        "at": time.time(),
    }
    with (ROOM / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def record() -> None:
    """Keep what was written, for the test to compare with what arrives."""
    files = {
        name: None if data is None else base64.b64encode(data).decode() for name, data in written.items()
    }
    content = json.dumps({"at": time.time(), "files": files})
    (ROOM / "written" / f"{WP}-{ATTEMPT}-{os.getpid()}.json").write_text(content)
