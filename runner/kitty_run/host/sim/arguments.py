"""Command lines to calls, as the dialect's tables say; what they do not list is a usage error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from kitty_run.host.sim.state import Call, Command
from kitty_run.host.sim.tables import CommandLine, Rules

GROUP = "orchestrator-api"


class SimUsageError(Exception):
    """The command line is not understood (exit status 2), or an option's JSON is not right (1)."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def parse(rules: Rules, argv: Sequence[str]) -> Call:
    """The call that `argv` (without the program's name) asks for; `SimUsageError` if it asks for none."""
    words = next((words for words in rules.plain if tuple(argv[: len(words)]) == words), None)
    line, rest = (rules.plain[words], argv[len(words) :]) if words else _orchestrator_line(rules, argv)
    options, operands = _options(rules, line, rest)
    return _call(rules, line, options, operands)


def _orchestrator_line(rules: Rules, argv: Sequence[str]) -> tuple[CommandLine, Sequence[str]]:
    if len(argv) < 2 or argv[0] != GROUP:
        raise SimUsageError("Missing command.")
    if argv[1] not in rules.commands:
        raise SimUsageError(f"No such command '{argv[1]}'.")
    return rules.commands[argv[1]], argv[2:]


def _options(rules: Rules, line: CommandLine, rest: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    valued = {*line.needs, *line.takes, *([] if line.does == "contract-version" else [rules.selector])}
    switches = {*line.switches, *rules.switches}
    options: dict[str, str] = {}
    operands: list[str] = []
    words = iter(rest)
    for word in words:
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            operands.append(word)
        elif name in switches:
            options[name] = "yes"
        elif name in valued:
            options[name] = value if has_value else _next(words, word)
        else:
            raise SimUsageError(f"No such option: {word}")
    _check_complete(rules, line, options, operands)
    return options, tuple(operands)


def _next(words: Iterator[str], option: str) -> str:
    found = next(words, None)
    if found is None:
        raise SimUsageError(f"Option '{option}' requires an argument.")
    return found


def _check_complete(rules: Rules, line: CommandLine, options: Mapping[str, str], operands: list[str]) -> None:
    needed = (*line.needs, *([] if line.does == "contract-version" else [rules.selector]))
    for name in needed:
        if name not in options:
            raise SimUsageError(f"Missing option '--{name}'.")
    if operands and not line.operands:
        raise SimUsageError(f"Got unexpected extra argument ({operands[0]})")


def _call(rules: Rules, line: CommandLine, options: Mapping[str, str], operands: tuple[str, ...]) -> Call:
    return Call(
        command=cast("Command", line.does),
        mission=options.get(rules.selector, ""),
        wp=options.get("wp", operands[0] if line.does == "move-task" and operands else ""),
        to=options.get("to", ""),
        actor=options.get("actor", ""),
        note=options.get("note"),
        review_ref=options.get("review-ref"),
        policy=_policy(options.get("policy")),
        review_result=_review_result(options.get("review-result-json")),
        evidence=_object("evidence-json", options.get("evidence-json")),
        subtasks=operands,
        agent=options.get("agent", ""),
        criterion=options.get("criterion", ""),
        result=options.get("result", ""),
        evidence_text=options.get("evidence", ""),
        provider_version=options.get("provider-version"),
        target=options.get("target"),
        strategy=options.get("strategy", "merge"),
        push="push" in options,
    )


def _policy(text: str | None) -> object:
    """None where no policy is given; "" for what is no JSON, which no host takes for an object."""
    if not text:
        return None
    try:
        return cast("object", json.loads(text))
    except ValueError:
        return ""


def _review_result(text: str | None) -> Mapping[str, object] | None:
    result = _object("review-result-json", text)
    if result is not None and result.get("verdict") not in {"approved", "changes_requested"}:
        raise SimUsageError(
            "--review-result-json verdict must be 'approved' or 'changes_requested'", status=1
        )
    return result


def _object(option: str, text: str | None) -> Mapping[str, object] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SimUsageError(f"Invalid JSON in --{option}: {error}", status=1) from error
    if not isinstance(found, dict):
        raise SimUsageError(f"--{option} must decode to a JSON object", status=1)
    return cast("Mapping[str, object]", found)
