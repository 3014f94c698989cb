"""What is fetched from git sources: nothing runs, no path leaves its tree, sizes and times are bounded."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.extends import fetch as fetching
from kitty_run.profile.extends.lockfile import write_lock
from kitty_run.profile.extends.sources import Pin, cached_tree, parse_source, tree_digest

from tests.profile.extends.git_fixture import AGENTS, Remote, lock_error, problems, profile


def test_a_path_can_not_leave_its_tree(remote: Remote, capsys: pytest.CaptureFixture[str]) -> None:
    for bad in ("../secret.yaml", "/etc/passwd", "profiles/../../x.yaml", ".git/config"):
        assert (
            "leaves the tree" in (error := lock_error(profile(remote.source("v1", bad)), capsys))
            or ".git" in error
        )
    remote.write("profiles/base.yaml", "extends: [../../../project/profile.yaml]\n")
    remote.commit()
    assert "leaves the tree" in lock_error(profile(remote.source("main")), capsys)


def test_a_link_out_of_the_tree_is_not_followed(
    remote: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.yaml").write_text(AGENTS, encoding="utf-8")
    (remote.path / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (remote.path / "directory").symlink_to(tmp_path)
    remote.commit()
    assert "symbolic link" in lock_error(profile(remote.source("main", "link.yaml")), capsys)
    assert "no such file" in lock_error(profile(remote.source("main", "directory/secret.yaml")), capsys)


def test_a_large_file_is_refused(remote: Remote, capsys: pytest.CaptureFixture[str]) -> None:
    remote.write("large.yaml", "# large\n" * 200_000)
    remote.commit()
    assert "larger than 1 MiB" in lock_error(profile(remote.source("main", "large.yaml")), capsys)


def test_a_directory_or_a_missing_file_is_an_error(
    remote: Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no regular file" in lock_error(profile(remote.source("v1", "profiles")), capsys)
    assert "no such file" in lock_error(profile(remote.source("v1", "none.yaml")), capsys)


def test_a_missing_revision_or_repository_is_an_error(
    remote: Remote, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such revision" in lock_error(profile(remote.source("v9")), capsys)
    missing = f"git+file://{tmp_path}/nowhere@v1#x.yaml"
    assert "git can't fetch it" in lock_error(profile(missing), capsys)


def test_an_unreachable_host_is_an_error(remote: Remote, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = lock_error(profile(f"git+https://127.0.0.1:{port}/x.git@v1#x.yaml"), capsys)
    assert "git can't fetch it" in error


def test_a_host_that_never_answers_is_given_up(
    remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        error = lock_error(profile(f"git+https://127.0.0.1:{port}/x.git@v1#x.yaml"), capsys)
    assert "no answer within 1s" in error


def test_hooks_filters_and_configuration_of_the_repository_run_nothing(
    remote: Remote, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for hook in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        script = remote.path / ".git" / "hooks" / hook
        script.write_text(f"#!/bin/sh\necho {hook} >> {trace}\n", encoding="utf-8")
        script.chmod(0o755)
    remote.write(".gitattributes", "* filter=evil\n")
    remote.write(".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = file://{tmp_path}/sub\n')
    remote.commit()
    trace.unlink(missing_ok=True)
    assert main(["lock", str(profile(remote.source("main")))]) == 0
    assert not trace.exists()


def test_a_remote_profile_can_not_read_this_machine_s_repositories(remote: Remote, tmp_path: Path) -> None:
    text = "git+https://example.com/acme/kitty-config.git@v1#base.yaml"
    files = {"base.yaml": f'extends: ["{remote.source()}"]\n'.encode()}
    root = cached_tree(text, "a" * 40)
    root.mkdir(parents=True)
    (root / "base.yaml").write_bytes(files["base.yaml"])
    write_lock(Path("kitty-run.lock"), [Pin(text, "a" * 40, tree_digest(files))])
    message = problems(profile(text))
    assert f"{text.partition('#')[0]}#base.yaml:1:11: /extends/0: a remote profile can't read" in message


def test_a_repository_that_is_too_large_is_refused(
    remote: Remote, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_PACK_BYTES", 100_000)
    (remote.path / "noise").write_bytes(os.urandom(500_000))
    remote.commit()
    assert "the repository is larger than" in lock_error(profile(remote.source("main")), capsys)


def test_a_server_that_filters_large_files_out_is_reported_the_same_way(
    remote: Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    remote.git("config", "uploadpack.allowFilter", "true")
    remote.write("large.yaml", "# large\n" * 200_000)
    remote.commit()
    assert main(["lock", str(profile(remote.source("main")))]) == 0
    Path("kitty-run.lock").unlink()
    assert "larger than 1 MiB" in lock_error(profile(remote.source("main", "large.yaml")), capsys)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("git+https://h/r@v1", "no git source"),
        ("git+https://h/r#p.yaml", "names no revision"),
        ("git+ssh://git@h#p.yaml", "names no revision"),
        ("git+https://h/r@--upload-pack=x#p.yaml", "names no revision"),
        ("git+https://h/r@a..b#p.yaml", "names no revision"),
        ("git+ext://sh -c x@v1#p.yaml", "no git source"),
        ("git+http://h/r@v1#p.yaml", "no git source"),
        ("git+https://user:pw@h/r@v1#p.yaml", "must not hold a password"),
        ("git+ssh://-oProxyCommand=x/r@v1#p.yaml", "no git source"),
        ("git+https://h/r@v1#../p.yaml", "leaves the tree"),
    ],
)
def test_wrong_sources_are_refused_before_git_is_asked(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_source(text)


def test_a_source_is_taken_apart() -> None:
    source = parse_source("git+ssh://git@example.com/acme/kitty-config.git@v1.4.2#profiles/backend.yaml")
    assert source.url == "ssh://git@example.com/acme/kitty-config.git"
    assert (source.rev, source.path) == ("v1.4.2", "profiles/backend.yaml")
