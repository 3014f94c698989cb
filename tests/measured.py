"""An interpreter whose programs are measured: for tests of what runs in children only.

Where coverage is measured, each start of it costs a tenth of a second more. So only the tests that are about
such a program use it; all other children run unmeasured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import coverage
import kitty_run

PACKAGE = Path(kitty_run.__file__).parent

SCRIPT = """\
#!/bin/sh
while :; do
  case "$1" in
    -I | -S | -IS) shift ;;
    *) break ;;
  esac
done
case "$1" in
  -m | [!-]*) exec {python} -m coverage run --rcfile={settings} "$@" ;;
  *) exec {python} "$@" ;;
esac
"""

SETTINGS = """\
[run]
branch = true
parallel = true
source = {package}
data_file = {data}
patch = _exit, fork
disable_warnings = no-data-collected, module-not-measured
"""


def interpreter(folder: Path) -> Path:
    """This interpreter; where coverage is measured, a program in `folder` that measures and runs it.

    Isolation (-I, -S) is left out then, since coverage is found in the environment's packages.
    """
    python = Path(sys.executable)
    running = coverage.Coverage.current()
    if running is None:
        return python
    data = Path(running.config.data_file).resolve()
    settings = folder / "coverage-of-children"
    settings.write_text(SETTINGS.format(package=PACKAGE, data=data), encoding="utf-8")
    script = folder / "python-measured"
    script.write_text(SCRIPT.format(python=python, settings=settings), encoding="utf-8")
    script.chmod(0o755)
    return script
