"""The first process in a sandbox that has a way out: `entrance.py SOCKET PORT COMMAND…`.

Started by its path with a bare interpreter. It listens on the sandbox's own loopback, hands the listening
socket to the runner over the Unix socket SOCKET, and becomes COMMAND.
"""

from __future__ import annotations

import os
import socket
import sys

CANNOT = 126


def main(arguments: list[str]) -> int:
    """Hand out the listening socket and become the command; returns only where that fails."""
    path, port, *command = arguments
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        listener.listen(128)
        with socket.socket(socket.AF_UNIX) as runner:
            runner.connect(path)
            socket.send_fds(runner, [b"\n"], [listener.fileno()])
            runner.recv(1)  # the proxy accepts
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return CANNOT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
