"""The warm host: runs a console script up to its root command, then answers calls in forked children.

A stand-alone script for the *host's* interpreter (standard library only, Python 3.9 and later):

    python warm_server.py SCRIPT ROOM ARGUMENT…

It runs SCRIPT with the ARGUMENTs up to the point where the command-line framework (click, typer) runs the
root command, and stops there for good. No command ever runs in the server itself, so nothing is kept in it
but imported modules and the command tree. Each request is a forked child with its own argv, working
directory, environment and streams, which continues from that point, out of the script, and through the
interpreter's exit hooks. Nothing of the script is imported by name.

One JSON object a line. Input: `{"id", "arguments", "cwd", "timeout"}` (seconds). Output, first of all:
`{"ready": {"own", "again", "contract", "probe"}}` (see `Server.self_tests`) or `{"unfit": reason}`; for each
request `{"id", "status", "stdout", "stderr", "seconds"}` (status null: the time limit), or
`{"id", "refused": reason}` where nothing was started; and `{"started": pid, "id"}` and `{"ended": pid}` of
every child, the leader of a process group (id null: not for a request). ROOM is a private directory, in which
`socket` takes the requests of `warm_shim.py`; it is removed at the end. The end of input ends the server,
once the calls under way have ended.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from kitty_run.host.transport.warm.inside.warm_call import Call, Reply, Request, ShimRequest
    from kitty_run.host.transport.warm.inside.warm_exit import run_to_its_end
    from kitty_run.host.transport.warm.inside.warm_modules import keep, learn, settle
    from kitty_run.host.transport.warm.inside.warm_path import keep_shim_first
    from kitty_run.host.transport.warm.inside.warm_root import RootCommand, identity, loaded_files, run_script
else:  # run by an interpreter that knows nothing of this package
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from warm_call import Call, Reply, Request, ShimRequest
    from warm_exit import run_to_its_end
    from warm_modules import keep, learn, settle
    from warm_path import keep_shim_first
    from warm_root import RootCommand, identity, loaded_files, run_script

    del sys.path[0]

PROBE = ["orchestrator-api", "kitty-run-probe"]
"""A command that no host has: if it succeeds, the host does not read the arguments of the request."""

CONTRACT = ["orchestrator-api", "contract-version"]
"""What every host answers by an envelope."""

SELF_TEST_SECONDS = 60.0

LOOK = 0.25
"""Seconds between two looks at how much the calls under way have printed."""


class Server:
    """One loop without threads over requests, shims, ended children and time limits."""

    def __init__(self, streams: tuple[int, int], script: str, room: Path, arguments: list[str]) -> None:
        self.requests, self.replies = streams
        self.room = room
        self.script = script
        self.loaded = {path: identity(path) for path in loaded_files(script)}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(room / "socket"))
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.buffer = b""
        self.input_ended = False
        own, *others = self.self_tests(arguments)
        # The first call of all alone: it may have to set up what the others find.
        self.self_test = [[own], others]
        self.calls: dict[int, Call] = {}
        self.shims: set[ShimRequest] = set()
        self.known: set[str] = set()
        self.child_of: Call | None = None

    def self_tests(self, arguments: list[str]) -> Iterator[Call]:
        """Calls before the first request, whose answers are for the client to compare.

        `own`: the script continues with the arguments that it was started with. `again`: the same, as a
        request. `contract`: a command that every host has. `probe`: one that does not exist.
        """
        answers: Reply = {}
        tests = {"own": None, "again": arguments, "contract": CONTRACT, "probe": PROBE}
        for name, words in tests.items():

            def answer(reply: Reply, name: str = name) -> None:
                answers[name] = reply
                if len(answers) == len(tests):
                    self.send({"ready": answers})

            yield Call(Request(words, str(Path.cwd()), SELF_TEST_SECONDS), answer)

    def send(self, message: Reply) -> None:
        data = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):  # nobody listens; the end of input is being read, too
            while data:
                data = data[os.write(self.replies, data) :]

    def unfit(self, reason: str) -> NoReturn:
        self.send({"unfit": reason})
        os._exit(1)

    def stop_here(self, root_command: object, arguments_given: bool) -> None:
        """Take over at the script's root command; returns in forked children only."""
        keep(root_command)
        if arguments_given:
            self.unfit("it hands its arguments to the root command by itself")
        if thread_count() > 1:
            self.unfit("it has threads before its root command runs")
        try:
            self.serve()
        finally:
            if self.child_of is None:
                traceback.print_exc()
                os._exit(1)

    def serve(self) -> None:
        wake, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup)
        self.selector.register(wake, selectors.EVENT_READ, lambda: os.read(wake, 1 << 12))
        self.selector.register(self.requests, selectors.EVENT_READ, self.take_requests)
        self.selector.register(self.listener, selectors.EVENT_READ, self.take_shim)
        shim = self.room / "bin" / Path(self.script).name
        if shim.exists():
            keep_shim_first(shim, self.script)
        gc.collect()
        settle()
        while self.child_of is None:
            self.turn()

    def turn(self) -> None:
        """Wait for something, and answer it; cut short in a forked child."""
        if self.self_test and not self.calls:
            self.start_all(self.self_test.pop(0))
        elif self.input_ended and not self.calls:
            shutil.rmtree(self.room, ignore_errors=True)
            os._exit(0)
        else:
            for key, _ in self.selector.select(self.patience()):
                key.data()
                if self.child_of is not None:
                    return
            self.end_late_calls()
            self.reap()

    def take_requests(self) -> None:
        data = os.read(self.requests, 1 << 16)
        if not data:
            self.input_ended = True
            self.selector.unregister(self.requests)
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            if self.child_of is None:
                self.take_request(json.loads(line))

    def take_request(self, message: Reply) -> None:
        number = message["id"]
        request = Request(message["arguments"], message["cwd"], message["timeout"], number=number)
        self.start(Call(request, lambda reply: self.send({"id": number, **reply})))

    def take_shim(self) -> None:
        connection, _ = self.listener.accept()
        shim = ShimRequest(connection)
        self.shims.add(shim)
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.hear_shim(shim))

    def hear_shim(self, shim: ShimRequest) -> None:
        if not shim.read():
            if shim.call is not None:
                shim.call.kill()
            self.selector.unregister(shim.connection)
            self.shims.discard(shim)
            shim.close()
        elif shim.call is None:
            call = shim.make_call()
            if call is not None:
                self.start(call)

    def changed(self) -> str | None:
        """Why a child would not be what a cold call is, if so."""
        for path, known in self.loaded.items():
            if identity(path) != known:
                return f"{path} changed since the start"
        return "it has threads by now" if thread_count() > 1 else None

    def start_all(self, calls: list[Call]) -> None:
        for call in calls:
            if self.child_of is None:
                self.start(call)

    def start(self, call: Call) -> None:
        reason = self.changed()
        if reason is None:
            try:
                call.pid = os.fork()
            except OSError as error:
                reason = f"no process could be forked ({error.strerror})"
        if reason is not None:
            call.answer({"refused": reason})
        elif call.pid:
            self.calls[call.pid] = call
            self.send({"started": call.pid, "id": call.request.number})
        else:
            self.child_of = call
            self.become_child(call)

    def become_child(self, call: Call) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.known = set(sys.modules)
        call.take_on()
        # Whoever waits for the end of one of these must not wait for this child.
        self.selector.close()
        self.listener.close()
        os.close(self.requests)
        os.close(self.replies)
        for shim in self.shims:
            shim.close()
        os.chdir(call.request.cwd)

    def last_hook(self) -> None:
        """At the very end of a child: report what it imported, in the order of import."""
        if self.child_of is not None:
            names = [name for name in sys.modules if name not in self.known]
            os.write(self.child_of.modules.fileno(), "\n".join(names).encode())

    def patience(self) -> float | None:
        if not self.calls:
            return None
        deadlines = [call.deadline for call in self.calls.values() if call.deadline and not call.timed_out]
        return max(0.0, min([LOOK, *(deadline - time.monotonic() for deadline in deadlines)]))

    def end_late_calls(self) -> None:
        now = time.monotonic()
        for call in self.calls.values():
            if call.deadline and call.deadline <= now and not call.timed_out:
                call.timed_out = True
                call.kill()
            elif call.printed_too_much():
                call.kill()

    def reap(self) -> None:
        modules: list[str] = []
        for pid in list(self.calls):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self.send({"ended": pid})
                modules += self.calls.pop(pid).finish(os.waitstatus_to_exitcode(status))
        learn(modules)


def thread_count() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return threading.active_count()


def main() -> None:
    script, room, *arguments = sys.argv[1:]
    streams = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(nothing, fd)
    os.close(nothing)
    server = Server(streams, script, Path(room), arguments)
    atexit.register(server.last_hook)
    RootCommand(server.stop_here).install()
    try:
        run_to_its_end(lambda: run_script(script, arguments), lambda: server.child_of is not None)
    finally:
        if server.child_of is None:
            error = sys.exc_info()[1]
            server.unfit(f"its root command was never reached ({error!r})")


if __name__ == "__main__":
    main()
