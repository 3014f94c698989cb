"""Git sources are pinned, read offline from the cache, and never lead out of their tree."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.extends import fetch as fetching
from kitty_run.profile.extends.lockfile import write_lock
from kitty_run.profile.extends.sources import Pin, cached_tree, parse_source, tree_digest
from kitty_run.profile.load import load
from kitty_run.profile.validation.problems import ProfileInvalid

from tests.profile.extends.git_fixture import AGENTS, Remote


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return Remote(tmp_path / "remote")


def profile(*sources: str, more: str = "") -> Path:
    path = Path("profile.yaml")
    entries = ", ".join(f'"{source}"' for source in sources)
    path.write_text(f"version: 1\nextends: [{entries}]\n{more}", encoding="utf-8")
    return path


def problems(path: Path) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        load(path)
    return str(caught.value)


def test_a_locked_profile_loads_without_its_repository(
    remote: Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile(remote.source())
    commit = remote.git("rev-parse", "HEAD")
    assert main(["lock", str(path)]) == 0
    assert f"pinned {remote.source()} to {commit}" in capsys.readouterr().err
    shutil.rmtree(remote.path)
    loaded = load(path)
    assert loaded.profile.concurrency.work_packages == 2
    assert loaded.profile.agents["a"].command == ("./a.sh",)
    names = [layer.source.name for layer in loaded.layers]
    label = remote.source().partition("#")[0]
    assert names[1:] == [f"{label}#shared/agents.yaml", f"{label}#profiles/base.yaml", "profile.yaml"]


def test_only_the_files_that_are_used_reach_the_cache(remote: Remote, tmp_path: Path) -> None:
    assert main(["lock", str(profile(remote.source()))]) == 0
    files = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert files == {"base.yaml", "agents.yaml"}


def test_a_source_that_is_not_locked_is_an_error(remote: Remote) -> None:
    message = problems(profile(remote.source()))
    assert "profile.yaml:2:11: /extends/0: is not locked in kitty-run.lock" in message
    assert "kitty-run lock" in message


def test_a_lock_without_its_cache_says_how_to_fill_it(remote: Remote, tmp_path: Path) -> None:
    path = profile(remote.source())
    assert main(["lock", str(path)]) == 0
    shutil.rmtree(tmp_path / "cache")
    assert "is not in the cache" in problems(path)
    assert main(["lock", str(path)]) == 0
    load(path)


def test_a_moved_tag_is_an_error_until_the_lock_is_updated(
    remote: Remote, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile(remote.source())
    assert main(["lock", str(path)]) == 0
    before = Path("kitty-run.lock").read_text(encoding="utf-8")
    remote.write("shared/agents.yaml", AGENTS.replace("./a.sh", "./b.sh"))
    commit = remote.commit()
    remote.git("tag", "-f", "v1")
    capsys.readouterr()

    assert main(["lock", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("sha256:") == 2
    assert commit[:12] in error
    assert Path("kitty-run.lock").read_text(encoding="utf-8") == before
    assert load(path).profile.agents["a"].command == ("./a.sh",)

    assert main(["lock", str(path), "--update"]) == 0
    output = capsys.readouterr()
    assert "-    command: [./a.sh]\n+    command: [./b.sh]\n" in output.out
    assert f"to {commit}" in output.err
    assert load(path).profile.agents["a"].command == ("./b.sh",)


def test_changed_content_in_the_cache_is_an_error_with_both_digests(remote: Remote, tmp_path: Path) -> None:
    path = profile(remote.source())
    assert main(["lock", str(path)]) == 0
    cached = next((tmp_path / "cache").rglob("agents.yaml"))
    cached.write_text(AGENTS.replace("./a.sh", "./evil.sh"), encoding="utf-8")
    message = problems(path)
    assert "its content changed" in message
    assert message.count("sha256:") == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("commit: ", "commit: 0"),
        ("digest: sha256:", "digest: md5:"),
        ("version: 1", "version: 2"),
        ("sources:", "sources: {}\nothers:"),
        ("    commit", "    kommit"),
        ("# Written", "- # Written"),
    ],
)
def test_a_lock_that_was_edited_by_hand_is_an_error(remote: Remote, old: str, new: str) -> None:
    path = profile(remote.source())
    assert main(["lock", str(path)]) == 0
    lock = Path("kitty-run.lock")
    lock.write_text(lock.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert "kitty-run.lock:" in problems(path)


def test_a_pin_moved_by_hand_is_an_error(remote: Remote) -> None:
    path = profile(remote.source())
    assert main(["lock", str(path)]) == 0
    lock = Path("kitty-run.lock")
    commit = remote.git("rev-parse", "HEAD")
    lock.write_text(lock.read_text(encoding="utf-8").replace(commit, "f" * 40), encoding="utf-8")
    assert "is not in the cache" in problems(path)
    assert main(["lock", str(path)]) == 2


@pytest.mark.parametrize("rev", ["main", "v1", "HEAD"])
def test_branches_tags_and_head_can_be_locked(remote: Remote, rev: str) -> None:
    assert main(["lock", str(profile(remote.source(rev)))]) == 0


def test_a_file_that_another_repository_s_file_extends_is_locked_too(remote: Remote, tmp_path: Path) -> None:
    second = Remote(tmp_path / "second")
    second.write("top.yaml", f'extends: ["{remote.source()}"]\nlimits: {{tokens: 9}}\n')
    second.commit()
    path = profile(second.source("main", "top.yaml"))
    assert main(["lock", str(path)]) == 0
    assert Path("kitty-run.lock").read_text(encoding="utf-8").count("- source:") == 2
    assert load(path).profile.limits.tokens == 9


def lock_error(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["lock", str(path)]) == 2
    assert not Path("kitty-run.lock").exists()
    return capsys.readouterr().err


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


def test_a_server_that_filters_large_files_out_is_told_the_same(
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


def test_a_profile_without_git_sources_needs_no_lock(remote: Remote) -> None:
    Path("agents.yaml").write_text(AGENTS, encoding="utf-8")
    more = "policy: {approval_mode: full_auto}\n"
    path = profile("agents.yaml", more=more)
    load(path)
    assert main(["lock", str(path)]) == 0
    load(path)
