"""Real spec-kitty hosts for tests: installed once below `.hosts/`, with missions to copy.

A host that can't be installed fails the test that wants it; nothing is skipped. Planning a mission on a
3.x host takes some 15 seconds, so each `MissionSpec` is planned once per host into a template, and every
test gets a copy.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import inspect
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from kitty_run.demo import documents, missions
from kitty_run.demo.hosts import ensure_host, host_environment
from kitty_run.demo.missions import make_project
from kitty_run.demo.spec import MissionSpec, Project

CHECKOUT = Path(__file__).resolve().parents[1]
HOSTS = (CHECKOUT / ".hosts").resolve()  # what hosts write of a worktree is its real path

FEATURE_HOST = "1.0.3"
"""The last host of contract 1.0 with `--feature` and `--json`."""
MISSION_HOST = "3.2.7"
"""A host of contract 1.5 with `--mission`."""
NEXT_HOST = "4.0.0rc7"
"""A host of contract 1.16, which accepts only what is ready."""
LAID_OUT = ".gitkeep"
"""The files in the folders that this generation wants."""
SIMULATED_FEATURE, SIMULATED_MISSION = "simulated-feature", "simulated-mission"
SIMULATED_NEXT = "simulated-mission-4"
"""The simulated host in the place of each of the three; see `tests.simulated_host`."""
SIMULATED = frozenset({SIMULATED_FEATURE, SIMULATED_MISSION, SIMULATED_NEXT})
BETWEEN_HOST = "3.1.10"
"""A host of a generation that kitty-run refuses: contract 1.0 by its number, yet with `--mission`."""


@dataclass(frozen=True, slots=True)
class RealHost:
    """An installed host: its `spec-kitty` script and the environment to call it in."""

    version: str
    script: Path
    env: Mapping[str, str]

    def call(self, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """One cold call; not checked."""
        argv = (str(self.script), *args)
        return subprocess.run(argv, cwd=cwd, env=dict(self.env), capture_output=True, text=True, check=False)

    def reply(self, *args: str, cwd: Path) -> dict[str, object]:
        """The envelope of one `orchestrator-api` call."""
        done = self.call("orchestrator-api", *args, cwd=cwd)
        envelope: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
        return envelope

    def project(self, spec: MissionSpec, destination: Path) -> Project:
        """A copy of the project that `spec` plans on this host, at `destination`."""
        return _copy(_template(self, spec), destination)


def install(version: str) -> RealHost:
    """Host `version` below `.hosts/`, installed where missing, with a private home that is ready for use."""
    script = ensure_host(version, HOSTS)
    home = HOSTS / f"home-{version}"
    ready = home / "ready"
    with _locked(HOSTS / f"home-{version}.lock"):
        host = RealHost(version, script, host_environment(script, home))
        if not ready.exists():
            host.call("orchestrator-api", "contract-version", cwd=home)
            ready.touch()
    return host


def _template(host: RealHost, spec: MissionSpec) -> Project:
    name = f"{host.version}-{_digest(spec)}"
    record = HOSTS / "templates" / f"{name}.json"
    root = HOSTS / "templates" / name
    root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(HOSTS / "templates" / f"{name}.lock"):
        if not record.exists():
            shutil.rmtree(root, ignore_errors=True)
            made = make_project(root, host.script, host.env, spec)
            if host.version == NEXT_HOST:
                lay_out(made)
            record.write_text(json.dumps({"mission": made.mission, "branch": made.branch}), encoding="utf-8")
    known = json.loads(record.read_text(encoding="utf-8"))
    return Project(root, known["mission"], known["branch"])


def lay_out(project: Project) -> None:
    """The folders without which this generation accepts no mission."""
    contracts = project.mission_dir / "contracts"
    for folder in (project.root / "src", project.root / "tests", project.root / "docs", contracts):
        folder.mkdir(exist_ok=True)
        (folder / LAID_OUT).touch()
    for words in (
        ["add", "-A"],
        ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "commit", "-qm", "Lay out"],
    ):
        subprocess.run(["git", *words], cwd=project.root, check=True, capture_output=True)


def _digest(spec: MissionSpec) -> str:
    makers = "".join(ast.unparse(_without_words(module)) for module in (missions, documents))
    return hashlib.sha256(f"{spec!r}\n{makers}".encode()).hexdigest()[:16]


def _without_words(module: ModuleType) -> ast.Module:
    """The code of a module without docstrings: other words for it are no other missions."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _copy(template: Project, destination: Path) -> Project:
    shutil.copytree(template.root, destination, symlinks=True)
    links = [*destination.glob(".git/worktrees/*/gitdir"), *destination.glob(".worktrees/*/.git")]
    for link in links:
        text = link.read_text(encoding="utf-8")
        link.write_text(text.replace(str(template.root), str(destination.resolve())), encoding="utf-8")
    for checkout in (destination, *(link.parent for link in destination.glob(".worktrees/*/.git"))):
        subprocess.run(["git", "status", "--short"], cwd=checkout, capture_output=True, check=True)
    return replace(template, root=destination.resolve())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
