"""`python -m tests.real_agents [FAMILY...]`: the presets against the real CLIs, as a table.

Installs each CLI, asks its own parser (or its help) about every option of its preset, and where it can be
pointed at another model service, runs the preset's exact command lines against a mock one: an implementer
must write its file, a reviewer must leave the workspace alone, nobody may write outside of it, and errors
must be classified. Exit status 1: something is not as the preset says.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import debian
from tests.real_agents import installing
from tests.real_agents.catalog import CATALOG, Entry, read
from tests.real_agents.installing import NotInstallable, installed
from tests.real_agents.options import options
from tests.real_agents.presets import PRESETS, Preset
from tests.real_agents.runs import runs
from tests.real_agents.table import Row, summary


def main(families: Sequence[str], catalog: Path = CATALOG, presets: Path = PRESETS) -> int:
    """Check `families`, or all, printing the table as it grows; the exit status."""
    entries, rows = read(catalog), []
    for family in families or sorted(path.stem for path in presets.glob("*.yaml")):
        for row in check(presets / f"{family}.yaml", entries[family]):
            rows.append(row)
            print(row, flush=True)  # noqa: T201 - its table
    print(summary(rows))  # noqa: T201
    return int(any(row.good is False for row in rows))


def check(path: Path, entry: Entry) -> Iterator[Row]:
    """What is seen of the family whose preset is `path`."""
    family = path.stem
    try:
        cli = installed(family, entry)
    except NotInstallable as error:
        yield Row(family, "install", None, str(error))
        return
    instead = f", for of the newest: {cli.instead}" if cli.instead else ""
    yield Row(family, "install", True, f"{cli.version}{_checked(path, cli.version)}{instead}")
    installing.HOME.mkdir(parents=True, exist_ok=True)
    # Not below /tmp, which the sandboxes hide or leave writable.
    with tempfile.TemporaryDirectory(dir=installing.HOME.resolve(), prefix=".run-") as directory:
        folder = Path(directory)
        (folder / "options").mkdir()
        mock = entry.mock
        preset = Preset(family, path, mock.model if mock else (), mock.set if mock else {})
        yield from options(preset, entry, cli, folder / "options")
        if mock:
            yield from runs(preset, mock, cli, folder)
        else:
            yield Row(family, "runs", None, f"it can't be pointed at another model service: {entry.alone}")


def _checked(path: Path, version: str) -> str:
    """What to say where the preset names another version as the one it was checked against."""
    named = re.search(r"Checked against ([\d.]+\d)", path.read_text(encoding="utf-8"))
    return "" if named is None or named[1] in version else f", where its preset says {named[1]}"


def _tools() -> None:
    """Let the sandboxes that the CLIs and the runner need, and a Node that is new enough, be found."""
    found = [debian.directory("bwrap", "bubblewrap"), debian.directory("socat", "socat", "libwrap0")]
    directories = [str(directory) for directory in (installing.node(), *found) if directory is not None]
    os.environ["PATH"] = os.pathsep.join([*directories, os.environ["PATH"]])


if __name__ == "__main__":
    _tools()
    sys.exit(main(sys.argv[1:]))
