"""Git sources are pinned, read offline from the cache, and never lead out of their tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kitty_run.cli.main import main
from kitty_run.profile.load import load

from tests.profile.extends.git_fixture import AGENTS, Remote, problems, profile

pytestmark = pytest.mark.heavy


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


def test_a_profile_without_git_sources_needs_no_lock(remote: Remote) -> None:
    Path("agents.yaml").write_text(AGENTS, encoding="utf-8")
    more = "policy: {approval_mode: full_auto}\n"
    path = profile("agents.yaml", more=more)
    load(path)
    assert main(["lock", str(path)]) == 0
    load(path)
