"""An implementing agent that does what its plan says: well, or in one of many bad ways.

Started with the room of the test as its argument; what it writes and means to leave is recorded there.
"""
# ruff: noqa: T201 - agents speak

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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


def ok() -> None:
    work()


def sneaks() -> None:
    """Good work, and a commit of its own on another work package's branch, which was reviewed already."""
    work()
    others = (path for path in HERE.parent.iterdir() if path != HERE and not path.name.endswith("-coord"))
    there = min(others)
    (there / "backdoor.txt").write_text("nobody saw this\n")
    for words in (("add", "backdoor.txt"), ("commit", "-q", "-m", "sneaked in")):
        subprocess.run(("git", *IDENTITY, *words), cwd=there, check=True)


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


def crash() -> None:
    put(f"{WP}.txt", "half")
    os.kill(os.getpid(), signal.SIGSEGV)


def fails() -> None:
    put(f"{WP}.txt", "half")
    sys.exit(3)


def limited() -> None:
    """Half of the work, a part of it committed, then the service's limit."""
    base = f"src/{WP.lower()}"
    put(f"{base}/first.py", "FIRST = 1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "the first half")
    put(f"{base}/second.py", "SECOND = ")
    record()
    print("You have reached your limit; try again in 1h 5m", file=sys.stderr)
    sys.exit(1)


def hang() -> None:
    put(f"{WP}.txt", "half")
    while True:
        print("still busy", flush=True)
        time.sleep(0.3)


def silent() -> None:
    put(f"{WP}.txt", "half")
    time.sleep(3600)


def stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    silent()


LATE = f"""
import pathlib, time
file = pathlib.Path("{WP}.txt").open("r+")
text = file.read()
for number in range(10**6):
    file.seek(0)
    file.write(text)
    file.flush()
    time.sleep(0.02)
"""
WRITER = (sys.executable, "-S", "-c", LATE, str(ROOM))
"""A process that continues writing into the workspace."""


def grandchild() -> None:
    """Leaves a writer behind, in a session of its own and with a parent that is gone."""
    work()
    starting = f"import subprocess; subprocess.Popen({WRITER!r}, start_new_session=True)"
    subprocess.run((sys.executable, "-S", "-c", starting), cwd=HERE, check=True, start_new_session=True)
    time.sleep(0.3)


def nameless() -> None:
    """Leaves one behind that has an environment of its own, after it was seen as this agent's child."""
    work()
    subprocess.Popen(WRITER, cwd=HERE, env={"PATH": os.environ["PATH"]}, start_new_session=True)
    time.sleep(3)


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


def specs() -> None:
    for path in (HERE / "kitty-specs").rglob("*.md"):
        path.write_text("rewritten by the agent\n")
    put("kitty-specs/extra.md", "mine\n")
    written.pop("kitty-specs/extra.md")


def specs_and_work() -> None:
    work()
    specs()


def specs_committed() -> None:
    specs_and_work()
    git("add", "-A", "--force")
    git("commit", "-q", "-m", "work and specs")


def specs_only_committed() -> None:
    specs()
    git("add", "-A", "--force")
    git("commit", "-q", "-m", "specs")


def outside() -> None:
    work()
    (HERE.parent.parent / "outside.txt").write_text("at the root\n")
    (ROOM / "elsewhere.txt").write_text("elsewhere\n")


def unlinks_git() -> None:
    work()
    (HERE / ".git").unlink()


def pushes() -> None:
    commits()
    git("push", "-q", "origin", f"HEAD:refs/heads/agent-{WP}", check=False)


def merging() -> None:
    """Leaves a merge with conflicts behind."""
    git("checkout", "-q", "-b", f"side/{WP}")
    put(f"{WP}.txt", "side\n")
    git("add", "-A")
    git("commit", "-q", "-m", "side")
    git("checkout", "-q", "-")
    put(f"{WP}.txt", "mine\n")
    git("add", "-A")
    git("commit", "-q", "-m", "mine")
    git("merge", "-q", f"side/{WP}", check=False)
    written.clear()


def index_lock() -> None:
    work()
    argv = ("git", "rev-parse", "--git-path", "index.lock")
    found = subprocess.run(argv, cwd=HERE, capture_output=True, text=True, check=True)
    Path(HERE, found.stdout.strip()).write_text("")


def embedded() -> None:
    work()
    inner = HERE / "vendor" / "lib"
    inner.mkdir(parents=True)
    subprocess.run(("git", "init", "-q", str(inner)), check=True)
    (inner / "lib.txt").write_text("inner\n")
    for args in (("add", "-A"), ("commit", "-q", "-m", "inner")):
        subprocess.run(("git", *IDENTITY, *args), cwd=inner, check=True)


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


def removes_all() -> None:
    """Deletes the whole workspace."""
    shutil.rmtree(HERE)


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


def note(what: str) -> None:
    line = {
        "what": what,
        "role": "implement",
        "wp": WP,
        "attempt": ATTEMPT,
        "pid": os.getpid(),
        "at": time.time(),
    }
    with (ROOM / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    plan = json.loads((ROOM / "plan.json").read_text())["implement"].get(WP, ["ok"])
    behaviour: Callable[[], None] = globals()[plan[min(ATTEMPT, len(plan)) - 1]]
    note("start")
    behaviour()
    record()
    note("end")
    print("T001: done")


def record() -> None:
    """Keep what was written, for the test to compare with what arrives."""
    files = {
        name: None if data is None else base64.b64encode(data).decode() for name, data in written.items()
    }
    content = json.dumps({"at": time.time(), "files": files})
    (ROOM / "written" / f"{WP}-{ATTEMPT}-{os.getpid()}.json").write_text(content)


main()
