# ruff: noqa: PLC0415, PLW1510, PTH109, T201
"""A small host on click, for what a real one can't be made to do.

Each command answers with an envelope of its own pid and parent's pid, after it has logged its name.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

HERE = Path(__file__).parent


def tell_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        print("1.0.0")
        context.exit()


@click.group()
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=tell_version)
def app() -> None:
    """As the real ones: everything is below one group."""


@app.group("orchestrator-api")
def api() -> None:
    """What is asked for."""


def say(**data: object) -> None:
    with (HERE / "log").open("a") as log:
        log.write(f"{sys.argv[-1]}\n")
    print(json.dumps({"success": True, "data": data}), flush=True)


@api.command()
def contract_version() -> None:
    print(json.dumps({"success": True, "data": {"api_version": "1.0.0"}}))


@api.command()
def whoami() -> None:
    own = {"pid": os.getpid(), "parent": os.getppid(), "executable": sys.executable}
    say(**own, argv=sys.argv, cwd=os.getcwd(), stdin=sys.stdin.read())


@api.command()
def learn() -> None:
    known = "wave" in sys.modules
    import wave  # noqa: F401

    say(known=known)


@api.command()
def die() -> None:
    """Take effect, then take the server along."""
    say()
    kill_server()
    time.sleep(600)


@api.command()
def list_ready() -> None:
    say(parent=os.getppid())
    if (HERE / "killer").exists():
        (HERE / "killer").unlink()
        kill_server()
        time.sleep(600)


def kill_server() -> None:
    os.kill(os.getppid(), signal.SIGKILL)


@api.command()
def hang() -> None:
    """Start a process, tell of both, and end never."""
    other = subprocess.Popen(["sleep", "600"])
    (HERE / "pids.tmp").write_text(f"{os.getpid()} {other.pid}")
    (HERE / "pids.tmp").rename(HERE / "pids")
    other.wait()


@api.command()
@click.argument("stream")
def chatter(stream: str) -> None:
    """Print without end, with a process that does not end by itself either."""
    subprocess.Popen(["sleep", "600"])
    while True:
        print("x" * 65536, file=getattr(sys, stream), flush=True)


@api.command()
def shout() -> None:
    """Print much at once, and end."""
    print("x" * (17 << 20))
    say()


@api.command()
@click.argument("name")
def wait_for(name: str) -> None:
    """Wait until `tell` opens the same pipe: only calls that overlap come to an end."""
    say(heard=(HERE / name).read_text())


@api.command()
@click.argument("name")
def tell(name: str) -> None:
    (HERE / name).write_text("hello")
    say()


@api.command()
@click.option("--real-first", is_flag=True)
def nested(real_first: bool) -> None:
    """Run this command's own name, as git does with a merge driver."""
    env = dict(os.environ)
    if real_first:
        env["PATH"] = f"{HERE}{os.pathsep}{env['PATH']}"
    command = [Path(__file__).name, "orchestrator-api", "whoami"]
    inner = subprocess.run(command, env=env, input="some input", capture_output=True, text=True, cwd="/")
    say(parent=os.getppid(), inner=json.loads(inner.stdout), path=env["PATH"], status=inner.returncode)


@api.command()
def nested_after_change() -> None:
    """Run it once the script is another file."""
    own = Path(__file__)
    copy = own.with_name("fresh")
    copy.write_bytes(own.read_bytes())
    copy.chmod(0o755)
    copy.rename(own)
    inner = subprocess.run([own.name, "orchestrator-api", "whoami"], input="", capture_output=True, text=True)
    say(pid=os.getpid(), inner=json.loads(inner.stdout))


@api.command()
def nested_failure() -> None:
    inner = subprocess.run([Path(__file__).name, "orchestrator-api", "no-such-command"], capture_output=True)
    say(status=inner.returncode)


OPEN = []


@api.command()
@click.argument("how")
def end(how: str) -> None:
    """End in one of the ways that a script can end, with something left to be done at the very end."""
    note = (HERE / "note").open("w")
    OPEN.append(note)
    note.write("left open")
    atexit.register(lambda: print("at exit"))
    threading.Thread(target=lambda: (threading.main_thread().join(), print("in a thread"))).start()
    sys.stdout.reconfigure(line_buffering=False, write_through=False)  # type: ignore[union-attr]
    print("said", end="")
    if how == "error":
        raise RuntimeError("an error")
    if how == "lost":
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, 1)
    if how != "return":
        sys.exit(None if how in {"none", "lost"} else how if how == "a message" else int(how))


if __name__ == "__main__":
    sys.exit(app())
