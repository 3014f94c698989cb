"""The way out of a real sandbox whose policy lists hosts. Servers are on loopback, names the test's own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from tests.execution import bubblewrap
from tests.execution.sandbox import confining
from tests.execution.sandbox.confining import Names, let_out

FETCH = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode().strip())
"""
DIRECTLY = """
import os, socket, sys
for name in list(os.environ):
    if name.lower().endswith("_proxy"):
        del os.environ[name]
def tries(what):
    try:
        what()
        print("connected")
    except OSError as error:
        print(type(error).__name__)
tries(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5))
tries(lambda: socket.create_connection((sys.argv[2], int(sys.argv[1])), 5))
tries(lambda: socket.getaddrinfo("api.test", 80))
again = socket.socket(socket.AF_UNIX)
tries(lambda: again.connect("/run/kitty-run/egress"))
abstract = socket.socket(socket.AF_UNIX)
tries(lambda: abstract.connect("\\0" + sys.argv[3]))
"""


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {self.headers['Host']}".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd.server_address[1]
        httpd.shutdown()


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{bubblewrap.directory()}{os.pathsep}{os.environ['PATH']}")


def test_only_what_is_listed_is_reached_and_the_rest_is_told(tmp_path: Path, server: int) -> None:
    names = Names({"api.test": ("127.0.0.1",), "evil.test": ("127.0.0.1",)})
    urls = (f"http://api.test:{server}/", f"http://evil.test:{server}/")
    allow = (f"api.test:{server}", f"127.0.0.1:{server}")
    repo = confining.repository(tmp_path)
    ended = let_out(repo, FETCH, *urls, names=names, allow=allow)
    assert ended.stdout.read_text().splitlines() == [
        f"hello api.test:{server}",
        f"403 kitty-run: evil.test:{server} is not in this run's network.allow",
    ], ended.stderr.read_text()
    assert [(one.host, one.port, one.reason) for one in names.denials] == [("evil.test", server, "unlisted")]


def test_a_listed_name_does_not_lead_to_loopback(tmp_path: Path, server: int) -> None:
    names = Names({"api.test": ("127.0.0.1",)})
    url = f"http://api.test:{server}/"
    ended = let_out(confining.repository(tmp_path), FETCH, url, names=names, allow=["api.test"])
    assert ended.stdout.read_text().startswith("403 "), ended.stderr.read_text()
    assert [one.reason for one in names.denials] == ["address"]


def test_there_is_no_way_past_the_proxy(tmp_path: Path, server: int) -> None:
    own = f"kitty-run-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{own}")
        abstract.listen()
        outside = _own_address()
        arguments = (str(server), outside, own)
        repo = confining.repository(tmp_path)
        ended = let_out(repo, DIRECTLY, *arguments, names=Names({}), allow=["api.test"])
    assert "connected" not in ended.stdout.read_text()
    assert len(ended.stdout.read_text().split()) == 5, ended.stderr.read_text()


def _own_address() -> str:
    """An address of this machine that is not loopback's, where it has one."""
    found = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family.name == "AF_INET" and not one.address.startswith("127.")
    ]
    return found[0] if found else "127.0.0.2"


def test_the_exit_status_passes_through_the_entrance(tmp_path: Path) -> None:
    repo = confining.repository(tmp_path)
    ended = let_out(repo, "import sys; sys.exit(41)", names=Names({}), allow=["api.test"])
    assert (ended.ending, ended.status) == ("exit", 41), ended.stderr.read_text()
