"""`python -m tests.host_matrix [VERSION...]`: every host from PyPI, as `doctor` and a mission find it.

Installs each into a directory of its own, asks the doctor, and where it is accepted plays a mission of two
work packages with a rework, by scripted agents. Writes the table into `docs/hosts.md`. Exit status 1:
something is not as the dialects say.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.host_matrix.agreement import disagreements
from tests.host_matrix.looking import Looking
from tests.host_matrix.page import PAGE
from tests.host_matrix.table import Row, read, written
from tests.host_matrix.versions import VERSIONS


def main() -> int:
    """Look at the hosts named, or all, printing the table as it grows; the exit status."""
    parser = argparse.ArgumentParser(prog="make check-hosts")
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--hosts", type=Path, help="install below this directory, and keep what is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kitty-run-hosts-") as scratch:
        hosts = (options.hosts or Path(scratch) / "hosts").resolve()
        rows = {row.version: row for row in read(PAGE.read_text(encoding="utf-8"))}
        for version in options.versions or VERSIONS:
            rows[version] = Looking(version, hosts, Path(scratch) / f"room-{version}").row()
            print(rows[version], flush=True)  # noqa: T201 - its table
            _write([rows[version] for version in VERSIONS if version in rows])
            if options.hosts is None:
                shutil.rmtree(hosts / version)
    wrong = disagreements(read(PAGE.read_text(encoding="utf-8")))
    print(*wrong, sep="\n")  # noqa: T201
    return int(bool(wrong))


def _write(rows: Sequence[Row]) -> None:
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
