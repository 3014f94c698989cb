"""`python -m tests.real_agents [FAMILY...]`: the presets against the real CLIs, as a table.

Installs each CLI, looks for every option of its preset in the CLI's own help, and where it can be pointed
at another model service, runs the preset's exact command lines against a mock one: an implementer must
write its file, a reviewer must leave the workspace alone, and errors must be classified.
Exit status 1: an option is gone, or a run went otherwise.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from kitty_run.agents.argv import Command, build, write_private
from kitty_run.agents.environment import environment
from kitty_run.agents.model import Launch, Outcome
from kitty_run.agents.outcome import classify
from kitty_run.agents.process import LocalExecutor
from kitty_run.agents.prompts import variables
from kitty_run.profile.load import load
from kitty_run.profile.model import Profile, RoleName
from kitty_run.resources import profiles_dir

from tests.agents.launching import no_note
from tests.agents.making import context
from tests.real_agents.installing import NotInstallable, installed, output_of
from tests.real_agents.service import Call, Scenario, service

CATALOG = Path(__file__).parent / "catalog.yaml"
POLICIES = tuple(
    (sandbox, network) for sandbox in ("read_only", "workspace_write", "none") for network in ("none", "open")
)
ROLES: tuple[RoleName, ...] = ("implement", "review")
ERRORS: tuple[tuple[Scenario, str], ...] = (("401", "auth"), ("429", "rate_limited"), ("503", "overloaded"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `good` None: it could not be looked at."""

    family: str
    what: str
    good: bool | None
    seen: str


def main(families: list[str]) -> int:
    """Check `families`, or all; the exit status."""
    catalog = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    known = sorted(path.stem for path in (profiles_dir() / "agents").glob("*.yaml"))
    rows = []
    for family in families or known:
        for row in _check(family, catalog.get(family, {})):
            rows.append(row)
            verdict = {True: "ok", False: "WRONG", None: "-"}[row.good]
            print(f"{row.family:10} {row.what:26} {verdict:6} {row.seen}", flush=True)  # noqa: T201 - its table
    return int(any(row.good is False for row in rows))


def _check(family: str, entry: Mapping[str, Any]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        try:
            where = installed(family, entry)
            version = output_of(where, entry["command"], ["--version"], folder).strip().splitlines()
        except NotInstallable as error:
            yield Row(family, "install", None, str(error).replace("\n", " ")[:100])
            return
        numbered = [line for line in version if any(letter.isdigit() for letter in line)]
        yield Row(family, "install", True, numbered[-1][:60] if numbered else "?")
        yield from _flags(family, entry, where, folder)
        if "mock" in entry:
            yield from _runs(family, entry, where, folder)


def _profile(folder: Path, family: str, sandbox: str, network: str) -> Profile:
    path = folder / "profile.yaml"
    flags = ["danger-full-access", "--yes-always"]
    policy = {"sandbox_mode": sandbox, "network_mode": network, "dangerous_flags": flags}
    path.write_text(f"version: 1\nextends: [preset:{family}]\npolicy: {policy}\n")
    return load(path).profile


def _flags(family: str, entry: Mapping[str, Any], where: Path, folder: Path) -> Iterator[Row]:
    help_text = "".join(output_of(where, entry["command"], words, folder) for words in entry["help"])
    used = sorted(_used(folder, family))
    gone = [flag for flag in used if flag not in entry.get("hidden", ()) and not _told(flag, help_text)]
    seen = f"gone: {' '.join(gone)}" if gone else f"{len(used)} options in its help"
    yield Row(family, "options", not gone, seen)


def _used(folder: Path, family: str) -> set[str]:
    found = set()
    table = _profile_tables(family)
    for sandbox, network in POLICIES:
        if sandbox in table["sandbox_mode"] and network in table["network_mode"]:
            for role in ROLES:
                for session in (None, "s-1"):
                    made = _command(_profile(folder, family, sandbox, network), family, role, folder, session)
                    found |= {
                        item.split("=")[0] for item in made.argv if item.startswith("-") and len(item) > 1
                    }
    return found


def _profile_tables(family: str) -> Mapping[str, Any]:
    document = yaml.safe_load((profiles_dir() / "agents" / f"{family}.yaml").read_text(encoding="utf-8"))
    tables: Mapping[str, Any] = document["agents"][family]["enforce"]
    return tables


def _told(flag: str, help_text: str) -> bool:
    words = help_text.replace(",", " ").replace("=", " ").replace("[", " ").replace("]", " ").split()
    return flag in words or f"{flag}:" in words


def _command(
    profile: Profile, family: str, role: RoleName, folder: Path, session: str | None = None
) -> Command:
    agent = profile.agents[family]
    known = variables(context(folder / "ws", role=role), agent, profile.policy, "Write new.py.")
    prompt = folder / "prompt.md"
    return build(agent, role, profile.policy, known, prompt, session, folder / "files")


def _runs(family: str, entry: Mapping[str, Any], where: Path, folder: Path) -> Iterator[Row]:
    table = _profile_tables(family)
    sandbox = (
        "none" if family == "claude" or "workspace_write" not in table["sandbox_mode"] else "workspace_write"
    )
    runs: list[tuple[RoleName, str, Scenario, str]] = [
        ("implement", sandbox, "work", "success"),
        ("review", sandbox, "work", "success"),
        *(
            ("implement", sandbox, scenario, failure)
            for scenario, failure in ERRORS
            if scenario not in entry["mock"].get("patient", ())
        ),
    ]
    for number, (role, mode, scenario, expected) in enumerate(runs):
        place = folder / str(number)
        outcome, changed = _run(
            family, entry, where, place, _profile(folder, family, mode, "none"), role, scenario
        )
        writes = role == "implement" and scenario == "work"
        seen = (
            f"{outcome.failure or 'success'} ({outcome.rule[:50]}), {'wrote' if changed else 'wrote nothing'}"
        )
        good = (outcome.failure or "success") == expected and changed == writes
        yield Row(family, f"{role} {scenario}", good, seen)


def _run(  # noqa: PLR0917 - a run has that many sides
    family: str,
    entry: Mapping[str, Any],
    where: Path,
    folder: Path,
    profile: Profile,
    role: RoleName,
    scenario: Scenario,
) -> tuple[Outcome, bool]:
    """The outcome of one real run, and whether it changed the workspace."""
    workspace, home, mock = folder / "ws", folder / "home", entry["mock"]
    workspace.mkdir(parents=True)
    home.mkdir()
    subprocess.run(["git", "init", "-q", str(workspace)], check=True)
    arguments = {key: _filled(text, "", workspace) for key, text in mock["arguments"].items()}
    with service(scenario, Call(mock["tool"], arguments)) as url:
        for name, text in mock.get("config", {}).items():
            write_private(home / name, _filled(text, url, workspace))
        command = _command(profile, family, role, folder)
        command.write_files()
        write_private(folder / "prompt.md", "Write new.py.\n")
        agent = profile.agents[family]
        source = {"PATH": f"{where}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}
        env = environment(agent.env, command.env, {}, source)
        env |= {name: _filled(text, url, workspace) for name, text in mock.get("env", {}).items()}
        launch = Launch(
            argv=command.argv,
            cwd=workspace,
            env=env,
            stdin=command.stdin,
            stdout=folder / "out.log",
            stderr=folder / "err.log",
            timeout=300.0,
            idle_timeout=None,
            kill_grace=1.0,
            marker=f"check-agents:{folder}",
        )
        end = asyncio.run(LocalExecutor().run(launch, no_note))
    status = subprocess.run(
        ["git", "-C", str(workspace), "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    return classify(agent, end, datetime.now().astimezone()), bool(status.stdout)


def _filled(text: str, url: str, workspace: Path) -> str:
    return text.replace("{url}", url).replace("{workspace}", str(workspace))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
