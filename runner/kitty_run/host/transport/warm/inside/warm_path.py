"""Part of the warm host: whoever a call starts finds the shim where it would find the script.

Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any


def keep_shim_first(shim: Path, script: str) -> None:
    """Put `shim` back first where a child starts a process with a PATH that leads to `script` past it.

    Hosts do that to be sure that git's merge drivers find the same installation: with their own directory
    put before a PATH on which the shim was first.
    """
    original = subprocess.Popen.__init__

    @functools.wraps(original)
    def start(self: Any, *args: Any, **kwargs: Any) -> None:
        environment = kwargs.get("env") or {}
        path = environment.get("PATH")
        if isinstance(path, str) and _same(shutil.which(shim.name, path=path), script):
            kwargs["env"] = {**environment, "PATH": f"{shim.parent}{os.pathsep}{path}"}
        original(self, *args, **kwargs)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]


def _same(found: str | None, script: str) -> bool:
    return found is not None and Path(found).exists() and Path(found).samefile(script)
