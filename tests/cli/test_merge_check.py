"""What a merge brings in, what it does to the target's own work, and whether the remote has it: real git."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.project import IMPLEMENT, Project, make
from tests.cli.test_after_review import add_to, events, git, on_target, run

pytestmark = pytest.mark.whole

LINES = "A = 1\nB = 1\nC = 1\n"

BAD_HOST = """
import subprocess, sys
from kitty_run.host.sim.cli import main

status = 0
if "merge-mission" in sys.argv:
    {before}
try:
    status = main() or 0
except SystemExit as end:
    status = end.code or 0
if "merge-mission" in sys.argv and not status:
    {evil}
sys.exit(status)
"""


def strategy(project: Project, name: str, *, push: bool = False) -> None:
    profile = yaml.safe_load(project.profile.read_text(encoding="utf-8"))
    profile["finish"]["merge"] |= {"strategy": name, "push": push}
    project.profile.write_text(yaml.safe_dump(profile), encoding="utf-8")


def host_that(project: Project, evil: str = "pass", before: str = "pass") -> None:
    """A host that does `evil` at the root after its merge, and `before` at its beginning."""
    script = project.profile.with_name("bad_host.py")
    script.write_text(BAD_HOST.format(evil=evil, before=before), encoding="utf-8")
    profile = yaml.safe_load(project.profile.read_text(encoding="utf-8"))
    profile["host"] = {"command": [sys.executable, str(script)], "start": "cold"}
    project.profile.write_text(yaml.safe_dump(profile), encoding="utf-8")


def with_hotfix(root: Path) -> Project:
    """WP01 changes a line of `shared.py` while somebody changes another one on the target."""
    project = make(root)
    (root / "shared.py").write_text(LINES, encoding="utf-8")
    git(project, "add", "shared.py")
    git(project, "commit", "-q", "-m", "shared")
    add_to(
        project,
        "implement",
        "if os.environ['KITTY_WP'] == 'WP01':\n"
        "    (pathlib.Path(ROOT) / 'hotfix.py').write_text('fixed')\n"
        "    subprocess.run(['git', '-C', ROOT, 'add', 'hotfix.py'], check=True)\n"
        "    commit = ['commit', '-q', '-m', 'hotfix', '--', 'hotfix.py']\n"
        "    subprocess.run(['git', '-C', ROOT, *commit], check=True)\n",
    )
    return project


@pytest.mark.parametrize("name", ["merge", "squash", pytest.param("rebase", marks=pytest.mark.slow)])
def test_a_hotfix_on_the_target_survives(tmp_path: Path, name: str) -> None:
    project = with_hotfix(tmp_path / "repo")
    strategy(project, name)
    status, text = run(project)
    assert status == 0, text
    assert {"hotfix.py", "WP01.txt", "WP02.txt"} <= set(on_target(project))


def test_a_merge_that_takes_a_hotfix_away_is_reported_and_the_way_back_works(tmp_path: Path) -> None:
    project = with_hotfix(tmp_path / "repo")
    strategy(project, "squash")
    host_that(
        project,
        "subprocess.run('git rm -q hotfix.py && git commit -q --amend --no-edit', shell=True, check=True)",
    )
    status, text = run(project)
    assert status == 1, text
    assert "hotfix.py" in text
    assert events(project, "merge.verified") == []
    assert "hotfix.py" in git(project, "ls-tree", "--name-only", "refs/kitty-run/demo/target-before-merge")
    git(project, "checkout", "refs/kitty-run/demo/expected-merge", "--", "hotfix.py")
    git(project, "commit", "-q", "-m", "bring it back")
    assert run(project)[0] == 0


@pytest.mark.parametrize("file", ["evil.py", ".kittify/config.yaml"])
def test_a_commit_that_nobody_reviewed_is_named_whoever_its_author_is(tmp_path: Path, file: str) -> None:
    project = make(tmp_path / "repo")
    sneak = (
        f"subprocess.run('echo evil > {file} && git add {file} && git commit -q -m chore', "
        "shell=True, check=True)"
    )
    host_that(project, sneak)
    status, text = run(project)
    assert status == 1, text
    assert f"chore ({file})" in text
    assert "accepted  by the host, before" in project.kitty_run(str(project.profile), "--mission", "demo").err
    git(project, "revert", "--no-edit", "HEAD")
    (project.root / ".kittify").mkdir(exist_ok=True)  # git removed it with its only file
    assert run(project)[0] == 0


@pytest.mark.parametrize("name", ["merge", "squash"])
def test_a_commit_that_lands_on_a_branch_while_the_host_merges_it_is_named(tmp_path: Path, name: str) -> None:
    """All was compared by then: the commits that came in are walked again."""
    project = make(tmp_path / "repo")
    strategy(project, name)
    sneak = (
        "subprocess.run('cd .worktrees/*[wW][pP]01 && echo evil > evil.py && git add evil.py "
        "&& git commit -q -m sneaked', shell=True, check=True)"
    )
    host_that(project, before=sneak)
    status, text = run(project)
    assert status == 1, text
    assert "evil.py" in text
    assert events(project, "merge.verified") == []
    assert len(events(project, "merge.started")) == 1


def remote_of(project: Project) -> Path:
    remote = project.root.with_name("remote.git")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    git(project, "remote", "add", "origin", str(remote))
    git(project, "push", "-q", "origin", "main")
    return remote


def at(remote: Path) -> str:
    words = ["git", "--git-dir", str(remote), "rev-parse", "main"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def move(remote: Path, clone: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(remote), str(clone)], check=True)
    (clone / "other.md").write_text("x", encoding="utf-8")
    identity = ("-c", "user.name=o", "-c", "user.email=o@example.com")
    for words in (("add", "--all"), (*identity, "commit", "-q", "-m", "somebody else"), ("push", "-q")):
        subprocess.run(["git", *words], cwd=clone, check=True)


def test_a_push_that_was_refused_is_no_success_and_running_again_pushes(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    strategy(project, "merge", push=True)
    remote = remote_of(project)
    aside = remote.with_name("ahead.git")
    shutil.copytree(remote, aside)
    move(aside, tmp_path / "clone")
    add_to(
        project,
        "implement",
        "if os.environ['KITTY_WP'] == 'WP01':\n"
        "    import shutil\n"
        f"    shutil.rmtree({str(remote)!r})\n"
        f"    shutil.move({str(aside)!r}, {str(remote)!r})\n",
    )
    status, text = run(project)
    assert status == 1, text
    assert "merged here" in text
    assert "not pushed" in text
    assert "[rejected]" in text
    assert at(remote) != git(project, "rev-parse", "main")
    git(project, "fetch", "-q", "origin")
    git(project, "merge", "-q", "--no-edit", "origin/main")
    again, text = run(project)
    assert again == 0, text
    assert at(remote) == git(project, "rev-parse", "main")


HOOK = "#!/bin/sh\necho 'protected branch: use a pull request' >&2\nexit 1\n"


def test_a_push_that_a_rule_of_the_remote_refuses_says_which_and_running_again_pushes(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    strategy(project, "squash", push=True)
    remote = remote_of(project)
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)
    status, text = run(project)
    assert status == 1, text
    assert "not pushed to origin: ! refs/heads/main:refs/heads/main [remote rejected]" in text
    assert "protected branch: use a pull request" in text
    assert "by a hook or a rule of its own" in text
    merged = git(project, "rev-parse", "main")
    hook.unlink()
    status, text = run(project)
    assert status == 0, text
    assert at(remote) == merged


def test_a_remote_that_is_gone_is_said_with_gits_own_cause(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    strategy(project, "merge", push=True)
    remote = remote_of(project)
    remote.rename(remote.with_name("elsewhere.git"))
    status, text = run(project)
    assert status == 1, text
    assert "does not appear to be a git repository" in text
    assert "See whether origin can be reached" in text
    remote.with_name("elsewhere.git").rename(remote)
    status, text = run(project)
    assert status == 0, text
    assert at(remote) == git(project, "rev-parse", "main")


def test_what_was_pushed_is_asked_of_the_remote(tmp_path: Path) -> None:
    project = make(tmp_path / "repo")
    strategy(project, "merge", push=True)
    remote = remote_of(project)
    status, text = run(project)
    assert status == 0, text
    assert at(remote) == git(project, "rev-parse", "main")


SAME_LINE = """
if os.environ["KITTY_WP"] == "WP01":
    import subprocess
    pathlib.Path("shared.py").write_text("A = 1\\nB = 2\\nC = 1\\n")
    root = {root!r}
    pathlib.Path(root, "shared.py").write_text("A = 1\\nB = 1  # HOTFIX\\nC = 1\\n")
    subprocess.run(["git", "-C", root, "commit", "-q", "-m", "hotfix", "--", "shared.py"], check=True)
"""


@pytest.fixture
def conflicting(tmp_path: Path) -> Project:
    """The target gets a hotfix in a line that WP01 changes too."""
    root = tmp_path / "repo"
    made = make(root, implementer=IMPLEMENT + SAME_LINE.format(root=str(root)), dependencies={"WP01": ()})
    (root / "shared.py").write_text("A = 1\nB = 1\nC = 1\n", encoding="utf-8")
    git(made, "add", "shared.py")
    git(made, "commit", "-q", "-m", "shared")
    return made


def resolve(text: str, file: str) -> None:
    """Do what the message says, with both sides kept."""
    merge, add = (line.strip() for line in text.split("\\n") if line.strip().startswith("git -C "))
    assert subprocess.run(["sh", "-c", merge], check=False, capture_output=True).returncode == 1
    found = re.search(r"git -C (\S+) ", merge)
    assert found is not None
    Path(found[1], file).write_text("A = 1\nB = 2  # HOTFIX\nC = 1\n", encoding="utf-8")
    subprocess.run(["sh", "-c", add], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["merge", "squash"])
def test_a_conflict_is_said_before_the_merge_and_the_printed_commands_resolve_it(
    conflicting: Project, name: str
) -> None:
    project = conflicting
    strategy(project, name)
    status, text = run(project)
    assert status == 1, text
    assert "conflicts with main, in shared.py" in text, text
    assert "Nothing is lost" in text
    assert events(project, "merge.started") == []
    assert "HOTFIX" in git(project, "show", "main:shared.py")
    assert "WP01.txt" not in on_target(project)
    resolve(text, "shared.py")
    status, text = run(project)
    assert status == 0, text
    assert git(project, "show", "main:shared.py") == "A = 1\nB = 2  # HOTFIX\nC = 1"
    assert "WP01.txt" in on_target(project)
