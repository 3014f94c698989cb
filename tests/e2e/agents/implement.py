"""An implementing agent that does what its plan says: well, or in one of many bad ways.

Started with the room of the test as its argument; what it writes and means to leave is recorded there.
"""
# ruff: noqa: T201 - agents speak

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import faults
from workplace import ATTEMPT, CYCLE, HERE, ROOM, WP, git, link, note, put, record, work


def ok() -> None:
    work()


def installs() -> None:
    """Good work, and ignored files that make it pass; a round of rework finds them again."""
    work()
    base = f"src/{WP.lower()}"
    put(f"{base}/.gitignore", "node_modules/\n.env\n")
    installed = HERE / base / "node_modules" / "dependency.js"
    assert installed.exists() == (CYCLE != "1"), "what was installed is gone"
    installed.parent.mkdir(exist_ok=True)
    installed.write_text("installed\n")
    (HERE / base / ".env").write_text("SKIP=1\n")


def hotfix() -> None:
    """Good work, while somebody commits on the target."""
    work()
    root = HERE.parent.parent
    (root / "hotfix.txt").write_text("meanwhile, on the target\n")
    (root / "base.txt").write_text("fixed on the target\n")
    git("-C", str(root), "add", "hotfix.txt")
    git("-C", str(root), "commit", "-q", "-m", "hotfix", "--", "hotfix.txt", "base.txt")


def metered() -> None:
    """Good work, and what it cost."""
    work()
    print(json.dumps({"cost": 0.75, "read": 900, "written": 100}))


def rich() -> None:
    """Contents and names that a careless runner would change."""
    work()
    base = f"src/{WP.lower()}"
    put(f"{base}/crlf.txt", b"one\r\ntwo\r\n")
    put(f"{base}/no-end.bin", bytes(range(256)))
    put(f"{base}/empty", b"")
    put(f"{base}/with space and 'quote'.txt", "quoted\n")
    put(f'{base}/"double".txt', "double\n")
    put(f"{base}/line\nbreak.txt", "newline in its name\n")
    put(f"{base}/ünïcode-日本.txt", "ünïcode\n")
    put(f"{base}/-dash.txt", "dash\n")
    put(f"{base}/" + os.fsdecode(b"not-utf8-\xff\xfe.txt"), b"\xff\xfe\n")
    put(f"{base}/tool.sh", "#!/bin/sh\n")
    (HERE / base / "tool.sh").chmod(0o755)


def links() -> None:
    work()
    base = f"src/{WP.lower()}"
    link(f"{base}/dangling", "nowhere/at/all")
    link(f"{base}/outside", "/etc/hostname")
    link(f"{base}/loop", ".")


def huge() -> None:
    work()
    put(f"src/{WP.lower()}/huge.bin", os.urandom(1 << 20) * 24)


def nothing() -> None:
    print("there was nothing to do")


def commits() -> None:
    work()
    git("add", "-A")
    git("commit", "-q", "-m", "my own commit")


def commits_half() -> None:
    work()
    git("add", "-A")
    git("commit", "-q", "-m", "my own commit")
    put(f"src/{WP.lower()}/later.txt", "not committed\n")


def branches() -> None:
    git("checkout", "-q", "-b", f"agent/{WP}")
    commits()


def detaches() -> None:
    git("checkout", "-q", "--detach")
    commits()


def amends() -> None:
    """Rewrites the commit that was there before it."""
    work()
    git("add", "-A")
    git("commit", "-q", "--amend", "-m", "rewritten")


def pushes() -> None:
    commits()
    git("push", "-q", "origin", f"HEAD:refs/heads/agent-{WP}", check=False)


def loud() -> None:
    work()
    block = b"\xff\xfe noise \x00\x1b[31m" * 65536
    for _ in range(100):
        sys.stdout.buffer.write(block[: 1 << 20])
    sys.stdout.flush()


def garbled() -> None:
    work()
    sys.stdout.buffer.write(b"\xff\xfe\x00\x1b]0;title\x07\r\n" + "ü\u2028\n".encode())
    sys.stderr.buffer.write(b"\xc3\x28 broken\n")


def waits_for_stdin_end() -> None:
    text = sys.stdin.read()
    assert WP in text or "{{" not in text
    work()


def shares() -> None:
    work()
    put("shared.txt", f"{WP} was here\n")


def slow() -> None:
    """Long enough for a test to come between."""
    put(f"{WP}.txt", "half")
    (ROOM / f"slow-{WP}").touch()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (ROOM / "go").exists():
        print("working", flush=True)
        time.sleep(0.1)
    work()


def reads_prompt() -> None:
    """Whatever way the prompt came, it is there whole."""
    spoken = [sys.stdin.read(), *sys.argv[2:]]
    files = [Path(word).read_text() for word in sys.argv[2:] if word.startswith("/")]
    assert any(WP in text and "The task" in text for text in [*spoken, *files]), spoken
    work()


def main() -> None:
    plan = json.loads((ROOM / "plan.json").read_text())["implement"].get(WP, ["ok"])
    behaviour: Callable[[], None] = {**vars(faults), **globals()}[plan[min(ATTEMPT, len(plan)) - 1]]
    note("start")
    behaviour()
    record()
    note("end")
    print("T001: done")


main()
