"""Hosts that can't be kept warm, and what is said of them.

`@python@` stands for the interpreter, `@other@` for a host that could be.
"""

from __future__ import annotations

from tests.host.warm.stubs import SOURCE

SHELL_SCRIPT = """\
#!/bin/sh
exec @python@ @other@ "$@"
"""

OTHER_FRAMEWORK = """\
#!@python@
print("usage")
"""

BROKEN = """\
#!@python@
raise RuntimeError("half installed")
"""

WRAPPER = """\
#!@python@
import os, sys
os.execv("@other@", ["@other@", *sys.argv[1:]])
"""

THREADS = """\
#!@python@
import threading, click
threading.Thread(target=threading.Event().wait, daemon=True).start()
click.command()(lambda: None)()
"""

OWN_ARGUMENTS = """\
#!@python@
import sys, click
click.command()(lambda: None)(sys.argv[1:])
"""

NO_API = """\
#!@python@
import click
click.command()(lambda: None)()
"""

ANY_COMMAND = """\
#!@python@
import click
@click.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def answer():
    print('{"data": {}}')
answer()
"""

TWO_ANSWERS = "#!@python@\n" + SOURCE.replace('"1.0.0"', "os.getpid()")

NO_CONTRACT = "#!@python@\n" + SOURCE.replace("def contract_version", "def another_name")

ODD = {
    "shell script": (SHELL_SCRIPT, "is no Python console script"),
    "other framework": (OTHER_FRAMEWORK, "its root command was never reached"),
    "broken": (BROKEN, "half installed"),
    "wrapper": (WRAPPER, "it ended while it started"),
    "threads": (THREADS, "it has threads"),
    "own arguments": (OWN_ARGUMENTS, "it hands its arguments"),
    "no API": (NO_API, "its own --version failed"),
    "no contract": (NO_CONTRACT, "its contract-version failed"),
    "any command": (ANY_COMMAND, "it does not read the arguments"),
    "two answers": (TWO_ANSWERS, "two different answers to --version"),
}
