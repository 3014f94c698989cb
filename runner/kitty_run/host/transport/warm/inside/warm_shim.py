# ruff: noqa: PTH109, S606
"""The command that is first on PATH for host calls: asks the warm host, or runs the real script.

It is never imported: `warm_room` writes it to a private directory, with a first line that names the
interpreter, and with SOCKET and SCRIPT filled in. Its own start-up is most of its cost, hence the bare
`_socket` and neither `json` nor `pathlib`. What it sends: its three standard streams, then a length line and
the NUL-joined working directory, number of arguments, arguments and environment. What comes back is the exit
status in decimal, or `refused`.
"""

from __future__ import annotations

import os
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

SOCKET = ""
SCRIPT = ""

LOST = 70  # EX_SOFTWARE: neither an answer of the host nor a merge conflict


def request() -> bytes:
    environment = [name + b"=" + value for name, value in os.environb.items()]
    arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
    body = b"\0".join([os.getcwdb(), b"%d" % len(arguments), *arguments, *environment])
    return b"%d\n" % len(body) + body


def send(server: socket, message: bytes) -> None:
    streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    sent = server.sendmsg([message], [(SOL_SOCKET, SCM_RIGHTS, streams)])
    server.sendall(message[sent:])


def ask() -> int | None:
    """The exit status, LOST where the server went away, None where it never took the request."""
    server = socket(AF_UNIX, SOCK_STREAM)
    try:
        server.connect(SOCKET)
        send(server, request())
    except OSError:
        return None
    try:
        answer = server.recv(16)
    except OSError:
        answer = b""
    if answer == b"refused":
        return None
    return int(answer) if answer else LOST


if __name__ == "__main__":
    status = ask()
    if status is None:
        os.execv(SCRIPT, [SCRIPT, *sys.argv[1:]])
    if status == LOST:
        sys.stderr.write("the warm host went away during this call\n")
    sys.exit(status)
