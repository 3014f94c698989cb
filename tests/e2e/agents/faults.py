"""What bad implementers do: they end early or never, leave processes behind, and damage what isn't theirs."""
# ruff: noqa: T201 - agents speak

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from workplace import HERE, IDENTITY, ROOM, WP, git, put, record, work, written


def sneaks() -> None:
    """Good work, and a commit of its own on another work package's branch, which was reviewed already."""
    work()
    others = (path for path in HERE.parent.iterdir() if path != HERE and not path.name.endswith("-coord"))
    there = min(others)
    (there / "backdoor.txt").write_text("nobody saw this\n")
    for words in (("add", "backdoor.txt"), ("commit", "-q", "-m", "sneaked in")):
        subprocess.run(("git", *IDENTITY, *words), cwd=there, check=True)


def sneaks_below() -> None:
    """Good work, and a commit of its own on the branch that all lanes are merged into."""
    work()
    listed = ("git", "for-each-ref", "--format=%(refname)", "refs/heads/kitty/mission-*")
    refs = subprocess.check_output(listed, cwd=HERE, text=True).split()
    branch = min(refs, key=len)  # lanes have its name, and a suffix
    script = (
        "export GIT_INDEX_FILE=$PWD/../sneaky-index; "
        f"git read-tree {branch} && echo 'nobody saw this' | git hash-object -w --stdin > ../sneaky-blob && "
        "git update-index --add --cacheinfo 100644,$(cat ../sneaky-blob),backdoor.txt && "
        f"git {' '.join(IDENTITY)} commit-tree -p {branch} -m sneaked $(git write-tree) "
        "> ../sneaky-commit && "
        f"git update-ref {branch} $(cat ../sneaky-commit) && rm ../sneaky-*"
    )
    subprocess.run(("sh", "-c", script), cwd=HERE, check=True)


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


def removes_all() -> None:
    """Deletes the whole workspace."""
    shutil.rmtree(HERE)
