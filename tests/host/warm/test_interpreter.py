"""A warm host runs in the interpreter that its script names, however it names it."""

from __future__ import annotations

from typing import Any

import pytest
from kitty_run.host.transport.warm.starter import WarmStarter

from tests.host.warm.stubs import SOURCE, Stub, data

pytestmark = pytest.mark.whole
FIRST_LINES = {
    "path": "#!{python}\n",
    "path and option": "#!{python} -s\n",
    "env": "#!/usr/bin/env {python}\n",
    "too long for a first line": "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n",
}
"""How installers name the interpreter of a console script."""


@pytest.mark.parametrize("first", FIRST_LINES.values(), ids=FIRST_LINES)
def test_the_interpreter_is_the_one_that_the_script_names(stub: Stub, first: str) -> None:
    stub.write(first.format(python=stub.interpreter) + SOURCE)

    async def use(starter: WarmStarter) -> dict[str, Any]:
        return data(await stub.ask(starter, "whoami"))

    assert stub.run(use)["executable"] == str(stub.interpreter)
    assert stub.notices == []
