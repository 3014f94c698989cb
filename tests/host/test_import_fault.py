"""A host that crashes while it is imported: which dependency, and the command that fixes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kitty_run.host.transport.import_fault import import_fault

from tests.host.recordings import recorded

REQUIRES = "Requires-Dist: parser>=1.4\nRequires-Dist: Yaml-Lib>=2\nRequires-Dist: [nonsense\n"


class Installed:
    """A host `app` 1.0 in an environment of its own, whose only module runs `code`."""

    def __init__(self, home: Path, code: str) -> None:
        self.home = home
        self.site = home / "lib" / "python3.11" / "site-packages"
        self.site.mkdir(parents=True)
        (home / "bin").mkdir()
        (home / "bin" / "python").symlink_to(sys.executable)
        self.package("app", "1.0", code, REQUIRES)
        (self.site / "pip").mkdir()

    def package(self, name: str, version: str, code: str, more: str = "") -> None:
        (self.site / name).mkdir()
        (self.site / name / "__init__.py").write_text(code, encoding="utf-8")
        info = self.site / f"{name}-{version}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(head + more, encoding="utf-8")
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n", encoding="utf-8")

    def words(self) -> str:
        """What it says as it is started."""
        code = f"import sys; sys.path.insert(0, {str(self.site)!r}); import app"
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    @property
    def pip(self) -> str:
        return f"{self.home}/bin/python -m pip install"


@pytest.mark.parametrize(
    ("code", "fault", "wanted"),
    [
        ("import parser.lost", "parser 1.9 lacks the module parser.lost", "parser==1.4"),
        ("from parser import gone", "parser 1.9 no longer has what it imports of parser", "parser==1.4"),
        ("import parser; parser.gone", "parser 1.9 no longer has what it imports of parser", "parser==1.4"),
        ("import other; other.gone", "other 3.1 no longer has", "'other<3.1'"),
        ("import never", "never, which it imports, is not installed", "never"),
        ("import yaml_lib", "yaml_lib, which it imports, is not installed", "'Yaml-Lib>=2'"),
        ("from app import gone", "its own files don't fit each other", "--force-reinstall app==1.0"),
    ],
)
def test_the_dependency_to_blame_is_named_with_the_command_that_fixes_it(
    tmp_path: Path, code: str, fault: str, wanted: str
) -> None:
    it = Installed(tmp_path / "env", code)
    it.package("parser", "1.9", "")
    it.package("other", "3.1", "")
    found = import_fault(it.words())
    assert found is not None
    assert fault in found
    assert found.endswith(f"`{it.pip} {wanted}`")


def test_an_environment_without_pip_is_fixed_from_outside(tmp_path: Path) -> None:
    it = Installed(tmp_path / "env with space", "import never")
    (it.site / "pip").rmdir()
    found = import_fault(it.words())
    assert found is not None
    assert f"`uv pip install --python '{it.home}/bin/python' never`" in found
    (it.home / "bin" / "python").unlink()
    assert f"`pip install --target '{it.site}' --upgrade never`" in str(import_fault(it.words()))


def test_a_traceback_of_another_machine_still_names_the_module() -> None:
    broken = recorded("broken-host", "contract-version.import-traceback-3.2.0")
    assert "typer._click.exceptions" in str(import_fault(broken.stderr))


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Error: no such command\n",
        "Traceback (most recent call last):\nModuleNotFoundError: No module named 'x'\n",
        'Traceback (most recent call last):\n  File "/x/a.py", line 1, in <module>\nValueError: no\n',
        # at work, not at its import
        (
            'Traceback (most recent call last):\n  File "/x/a.py", line 1, in run\n'
            "AttributeError: module 'json' has no attribute 'gone'\n"
        ),
    ],
)
def test_other_crashes_are_none(words: str) -> None:
    assert import_fault(words) is None
