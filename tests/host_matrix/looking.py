"""One host of the matrix: installed, looked at by the doctor, and given a small mission with a rework."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitty_run.demo.hosts import ensure_host, host_environment
from kitty_run.demo.missions import make_project
from kitty_run.demo.spec import Topology
from kitty_run.errors import HostError
from kitty_run.host.dialect import Dialect
from kitty_run.host.dialect_files import load_all

from tests.e2e.bench import Bench, Ran, mission
from tests.host_matrix.table import ACCEPTED, DONE, NOT_STARTED, REFUSED, Row
from tests.host_matrix.versions import TOPOLOGIES
from tests.hosts import RealHost, lay_out
from tests.program import kitty_run

SHAPE = {"WP01": (), "WP02": ("WP01",)}
COMMAND = re.compile(r"`([^`]+)`")

Findings = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Looking:
    """Looks at the host `version`, installed below `hosts`, in new projects below `room`."""

    version: str
    hosts: Path
    room: Path

    def row(self) -> Row:
        """What there is to say of it."""
        script = ensure_host(self.version, self.hosts)
        host = RealHost(self.version, script, host_environment(script, self.hosts / f"home-{self.version}"))
        empty = self.room / "empty"
        empty.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "."], cwd=empty, check=True)
        findings, repaired = self._doctor(host, empty), ""
        if command := _broken(findings):
            subprocess.run(command, shell=True, check=True, env=dict(host.env))  # noqa: S602 - the doctor's
            repaired = f", as installed today only after `{_without_place(command)}`"
            findings = self._doctor(host, empty)
        contract = self._contract(host, empty)
        if (dialect := _dialect(findings)) is None:
            reason = next((one["text"] for one in findings if one["state"] == "bad"), "")
            named = [one for one in load_all() if f" {one.title} " in reason]
            name = f"`{max(named, key=lambda one: len(one.title)).name}`" if named else "none"
            return Row(self.version, contract, name, f"{REFUSED}{repaired}", NOT_STARTED)
        played = "; ".join(self._played(host, dialect))
        return Row(self.version, contract, f"`{dialect.name}`", f"{ACCEPTED}{repaired}", played)

    def _doctor(self, host: RealHost, repo: Path, *words: str) -> Findings:
        done = kitty_run("doctor", "--repo", str(repo), "--json", *words, cwd=repo, env=host.env)
        findings: Findings = json.loads(done.out)["findings"]
        return findings

    def _contract(self, host: RealHost, repo: Path) -> str:
        with suppress(ValueError, IndexError, KeyError):
            data: Any = host.reply("contract-version", cwd=repo)["data"]
            return str(data["api_version"])
        return "none"

    def _played(self, host: RealHost, dialect: Dialect) -> Iterator[str]:
        for topology in TOPOLOGIES[dialect.name]:
            where = f" (`{topology}`)" if topology else ""
            try:
                yield f"{self._mission(host, dialect, topology)}{where}"
            except HostError as error:
                yield f"not planned{where}: {str(error).splitlines()[0][:200]}"

    def _mission(self, host: RealHost, dialect: Dialect, topology: Topology | None) -> str:
        place = self.room / str(topology)
        project = make_project(place / "project", host.script, host.env, mission(SHAPE, topology))
        if dialect.readiness is not None:
            lay_out(project)
        it = Bench(host, project, place / "room")
        it.plan({}, {"WP02": ["reject", "approve"]})
        for agent in it.profile["agents"].values():
            agent |= {"timeout": "5m", "idle_timeout": "2m"}
        ran = it.run()
        prepared = ""
        if ran.status == 2 and (commands := _printed(ran.text)):
            for command in commands:
                subprocess.run(command, shell=True, check=True, env=dict(host.env))  # noqa: S602 - as printed
            prepared = ", once the merge drivers that the run named were registered"
            ran = it.run()
        return f"{_result(it, ran)}{prepared}"


def _result(it: Bench, ran: Ran) -> str:
    if ran.status != 0:
        reason = str(ran.report.get("reason") or ran.text.strip().splitlines()[-1])
        return f"exit status {ran.status}: {reason[:200]}"
    whole = it.tree() == it.written() and all(ran.result(wp) == "done" for wp in SHAPE)
    return DONE if whole and ran.report["accepted"] else "exit status 0, but not all of the work is there"


def _broken(findings: Findings) -> str | None:
    """The command that the doctor gives for a host that can't be imported."""
    for one in findings:
        if one["state"] == "bad" and "crashes as it starts" in one["text"]:
            return COMMAND.findall(one["text"])[-1]
    return None


def _without_place(command: str) -> str:
    return re.sub(r"^\S*/bin/python -m ", "", command)


def _dialect(findings: Findings) -> Dialect | None:
    """The dialect of a host that was accepted."""
    for one in findings:
        found = re.search(r", dialect ([\w-]+): ", one["text"])
        if one["subject"] == "contract" and one["state"] == "ok" and found is not None:
            known = (dialect for dialect in load_all() if dialect.name == found[1])
            return next((dialect for dialect in known if isinstance(dialect, Dialect)), None)
    return None


def _printed(text: str) -> Sequence[str]:
    """The git commands on lines of their own."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line.startswith("git -C ") and " config " in line]
