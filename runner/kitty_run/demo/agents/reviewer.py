"""The scripted reviewer: runs the project's tests and the task's own examples, and writes its verdict."""

from __future__ import annotations

import doctest
import json
import os
import sys
from pathlib import Path

from kitty_run.demo.agents.suite import TestRun, finish, run_tests

Finding = dict[str, str]


def main() -> int:
    """Play the reviewer in the working directory; returns the exit status."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path.cwd()))
    shown = sys.stdin.read().partition("# What was changed")[0]
    task = shown.rpartition("\n```")[0] or shown  # the fence that ends it is no output of its last example
    run = run_tests()
    examples = doctest.DocTestParser().get_doctest(task, {}, "task", None, None)
    findings = [*_test_findings(run), *_example_findings(examples)]
    held = f"{len(findings)} of these do not hold" if findings else "all of them hold"
    summary = f"{run.count} tests and the task's {len(examples.examples)} examples were run; {held}."
    verdict = {
        "code": os.environ["KITTY_VERDICT_CODE"],
        "verdict": "changes_requested" if findings else "approved",
        "summary": summary,
        "findings": findings,
    }
    Path(os.environ["KITTY_VERDICT_FILE"]).write_text(json.dumps(verdict, indent=2), encoding="utf-8")
    finish(f"{verdict['verdict']}: {summary}")
    return 0


def _test_findings(run: TestRun) -> list[Finding]:
    if run.passed and run.count:
        return []
    return [{"message": f"The tests do not pass:\n{run.output}", "severity": "blocker"}]


def _example_findings(test: doctest.DocTest) -> list[Finding]:
    """A finding for each example of the task that the code does not keep to."""
    runner = _Examples(verbose=False)
    runner.run(test, out=lambda _: None)
    return runner.findings


class _Examples(doctest.DocTestRunner):
    """Runs examples and collects the failing ones as findings."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self.findings: list[Finding] = []

    def report_failure(
        self,
        out: object,  # noqa: ARG002 - doctest's own signature, as below
        test: doctest.DocTest,  # noqa: ARG002
        example: doctest.Example,
        got: str,
    ) -> None:
        self._add(example, f"`{got.strip()}`")

    def report_unexpected_exception(
        self,
        out: object,  # noqa: ARG002
        test: doctest.DocTest,  # noqa: ARG002
        example: doctest.Example,
        exc_info: tuple[object, ...],
    ) -> None:
        self._add(example, f"{type(exc_info[1]).__name__}: {exc_info[1]}")

    def _add(self, example: doctest.Example, got: str) -> None:
        message = f"`{example.source.strip()}` must give `{example.want.strip()}`, but gives {got}"
        self.findings.append({"message": message, "severity": "major"})
