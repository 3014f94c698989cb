"""Part of the warm host: a script, run by the host's interpreter up to its root command.

Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

import sys
import sysconfig
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

FRAMEWORKS = {"click.core", "typer.core", "typer._click.core"}
"""Modules whose classes run a command by their method `main`."""


class RootCommand:
    """Stops a script at its framework's first `main`: watches the framework's import, makes none itself."""

    def __init__(self, stop: Callable[[object, bool], None]) -> None:
        self.stop = stop
        self.patched: list[tuple[Any, Any]] = []

    def install(self) -> None:
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in FRAMEWORKS:
            return None
        finders = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None:
            self.watch(spec.loader)
        return spec

    def watch(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            loader.exec_module = execute
            execute(module)
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == module.__name__ and "main" in vars(value):
                    self.patch(value)

        loader.exec_module = exec_module

    def patch(self, command: Any) -> None:
        original = command.main

        def main(this: Any, *args: Any, **kwargs: Any) -> Any:
            self.restore()
            self.stop(this, bool(args) or kwargs.get("args") is not None)
            return original(this, *args, **kwargs)

        command.main = main
        self.patched.append((command, original))

    def restore(self) -> None:
        sys.meta_path.remove(self)
        for command, original in self.patched:
            command.main = original


def run_script(script: str, arguments: list[str]) -> None:
    """Run `script` as the interpreter would run it by itself."""
    code = compile(Path(script).read_bytes(), script, "exec")
    sys.argv[:] = [script, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = str(Path(script).resolve().parent)
    main = types.ModuleType("__main__")
    vars(main).update(__file__=script, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    exec(code, vars(main))  # noqa: S102  # the host's own script: what a cold call would run


def loaded_files(script: str) -> list[Path]:
    """Files that show a change: the script, the interpreter, the record of each installed distribution."""
    sites = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    records = [path for site in sites for path in Path(site).glob("*.dist-info/RECORD")]
    return [Path(script), Path(sys.executable), *records]


def identity(path: Path) -> tuple[int, ...] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns
