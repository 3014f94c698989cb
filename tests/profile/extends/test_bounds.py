"""A git source takes bounded time, memory, disk and output, whatever its server does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.extends import fetch as fetching

from tests.profile.extends.git_fixture import Remote, lock_error, profile

SSH = "git+ssh://git@example.com/acme/config.git@v1#base.yaml"


def served_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have a program in the place of ssh, which speaks for the server."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}{os.pathsep}{os.environ['PATH']}")


def test_many_files_of_which_none_is_too_large_are_too_large_together(
    remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_PACK_BYTES", 100_000)
    for number in range(4):
        (remote.path / f"noise{number}").write_bytes(os.urandom(50_000))
    remote.commit()
    assert "the repository is larger than" in lock_error(profile(remote.source("main")), capsys)


def test_a_huge_file_that_the_server_left_out_is_not_asked_for_again(
    remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_PACK_BYTES", 2_000_000)
    remote.git("config", "uploadpack.allowFilter", "true")
    (remote.path / "huge.yaml").write_bytes(os.urandom(5_000_000))
    remote.commit()
    assert "larger than 1 MiB" in lock_error(profile(remote.source("main", "huge.yaml")), capsys)


def test_a_server_that_talks_without_end_is_cut_off(
    remote: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_PACK_BYTES", 2_000_000)
    served_by(tmp_path, monkeypatch, "import sys\nwhile True: sys.stderr.write('welcome! ' * 99 + '\\n')")
    assert "its server said more than" in lock_error(profile(SSH), capsys)


REFS = r"""import sys
line = "1" * 40 + " refs/heads/{:>060000}"
while True:
    text = line.format(0) + "\n"
    sys.stdout.write(f"{len(text) + 4:04x}{text}")
"""


def test_a_server_that_lists_refs_without_end_takes_bounded_memory(
    remote: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_MEMORY", 200 << 20)
    served_by(tmp_path, monkeypatch, REFS)
    assert "git needs more than 200 MiB of memory" in lock_error(profile(SSH), capsys)


def test_the_time_is_one_for_all_files_of_a_source(
    remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(0, 1000, 25))
    monkeypatch.setattr(fetching, "monotonic", lambda: next(ticks))
    assert "no answer within 60s" in lock_error(profile(remote.source()), capsys)


def test_thousands_of_refs_are_no_matter(remote: Remote) -> None:
    commit = remote.git("rev-parse", "HEAD")
    lines = "".join(f"{commit} refs/heads/b{number:06}\n" for number in range(20_000))
    packed = remote.path / ".git" / "packed-refs"
    packed.write_text(f"# pack-refs with: peeled fully-peeled sorted \n{lines}", encoding="utf-8")
    assert main(["lock", str(profile(remote.source()))]) == 0


def test_a_file_in_a_submodule_is_not_followed(
    remote: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = Remote(tmp_path / "inner")
    remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "inner")
    remote.commit()
    error = lock_error(profile(remote.source("main", "inner/profiles/base.yaml")), capsys)
    assert "no such file" in error
    assert "no regular file" in lock_error(profile(remote.source("main", "inner")), capsys)
