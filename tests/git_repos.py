"""Real git repositories for tests, made with the git that is installed."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Someone",
    "GIT_AUTHOR_EMAIL": "someone@example.com",
    "GIT_COMMITTER_NAME": "Someone",
    "GIT_COMMITTER_EMAIL": "someone@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A checkout (main or linked) to prepare and to look at."""

    path: Path

    def git(self, *args: str, check: bool = True) -> str:
        """Standard output of a git command, without its last line end."""
        env = {**os.environ, **IDENTITY}
        done = subprocess.run(
            ("git", *args), cwd=self.path, env=env, capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout.rstrip("\n")

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def commit(self, message: str = "work", **files: str) -> str:
        """Commit everything, `files` (name to text) written before; returns the commit."""
        for name, text in files.items():
            self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self, ref: str = "HEAD") -> str:
        return self.git("rev-parse", ref)

    def files(self, ref: str = "HEAD") -> list[str]:
        """The paths in a commit."""
        return self.git("ls-tree", "-r", "--name-only", ref).splitlines()

    def status(self) -> str:
        return self.git("status", "--porcelain", "--untracked-files=all")

    def worktree(self, name: str, branch: str, base: str = "HEAD") -> GitRepo:
        """A linked worktree at `.worktrees/NAME`, on the new branch `branch`."""
        path = self.path / ".worktrees" / name
        self.git("worktree", "add", "-q", "-b", branch, str(path), base)
        return GitRepo(path)


def make_repo(path: Path) -> GitRepo:
    """A repository on `main` with code, a mission below `kitty-specs/`, and `.worktrees/` ignored."""
    return copied(_template(), path)


def copied(template: Path, path: Path) -> GitRepo:
    """A copy of the repository at `template`: a fifth of what git takes to make it anew."""
    shutil.copytree(template, path, symlinks=True)
    repo = GitRepo(path)
    repo.git("update-index", "-q", "--refresh")
    return repo


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kitty-run-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repo = GitRepo(folder / "repo")
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main")
    repo.write(".gitignore", ".worktrees/\n*.log\n")
    repo.write("src/app.py", "one\ntwo\nthree\n")
    repo.write("kitty-specs/m/spec.md", "# Spec\n")
    repo.write("kitty-specs/m/tasks/WP01.md", "# WP01\n")
    repo.commit("start")
    return repo.path


def half_made(root: GitRepo, name: str, *, branch: str | None = None, keep: int = 3) -> GitRepo:
    """What a power cut leaves of `git worktree add`: `keep` files, no index but its lock, still locked.

    Of a worktree on `branch` (its own `name` by default) that starts at HEAD.
    """
    path = root.path / ".worktrees" / name
    own = root.path / ".git" / "worktrees" / name
    root.git("worktree", "add", "-q", "--no-checkout", "-b", branch or name, str(path), "HEAD")
    for file in root.files()[:keep]:
        target = path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((root.path / file).read_bytes())
    (own / "index").unlink(missing_ok=True)
    (own / "index.lock").touch()
    (own / "locked").write_text("initializing", encoding="utf-8")
    return GitRepo(path)
