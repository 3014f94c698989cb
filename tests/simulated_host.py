"""The simulated host as a console script, which kitty-run keeps warm as it does with real hosts.

A start of it for each call would be most of what a test of the whole program costs.
"""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = f"""\
#!{sys.executable}
import sys
import click
from kitty_run.host.sim.cli import main
from kitty_run.host.sim.tables import rules

@click.command(add_help_option=False, context_settings={{"ignore_unknown_options": True}})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def host(words):
    sys.exit(main())

rules("feature"), rules("mission")
host()
"""


def install(folder: Path) -> Path:
    """The script `spec-kitty` in `folder`."""
    script = folder / "spec-kitty"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return script
