"""A verb, lane, step or code of an end that is added to its enum and nowhere else does not type-check."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("enum", "last", "places"),
    [
        (
            "profile/model.py",
            '    ABORT = "abort"\n',
            [
                "profile/retry_verbs.py",
                "engine/lifecycle/attempts/recovery.py",
                "engine/lifecycle/state_machine.py",
            ],
        ),
        ("engine/state/end_codes.py", '    DEPENDENCIES = "dependencies"\n', ["engine/state/end_codes.py"]),
        (
            "host/model.py",
            '    CANCELED = "canceled"\n',
            ["host/model.py", "engine/lifecycle/state_machine.py"],
        ),
        (
            "engine/lifecycle/state_machine.py",
            '    CONFIRM = "confirm"\n',
            ["engine/lifecycle/state_machine.py", "engine/lifecycle/work_package.py"],
        ),
    ],
)
def test_what_is_forgotten_does_not_type_check(
    tmp_path: Path, enum: str, last: str, places: list[str]
) -> None:
    shutil.copytree(ROOT / "runner", tmp_path / "runner")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = Path("runner") / "kitty_run"
    text = (tmp_path / package / enum).read_text()
    assert text.count(last) == 1
    (tmp_path / package / enum).write_text(text.replace(last, f'{last}    NEW = "new"\n'))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--follow-imports=silent",
            *(str(package / place) for place in places),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {line.split(":")[0] for line in errors} == {str(package / place) for place in places}
    assert all("assert_never" in line and "NEW" in line for line in errors), done.stdout
