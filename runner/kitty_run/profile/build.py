"""The resolved document as the frozen `Profile`. Expects what the checks have found right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from kitty_run.profile import model
from kitty_run.profile.durations import seconds
from kitty_run.profile.finish import Finish, Merge
from kitty_run.profile.limits import MEMORY_KEYS, TIMES, Allowance, Limits, Resources, memory_size
from kitty_run.profile.model import Action, FailureClass, GateName, RoleName
from kitty_run.profile.output import NUMBERS, Output, SessionFile
from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.prices import Price
from kitty_run.profile.review_diff import ReviewDiff, size
from kitty_run.profile.validation.network import AgentNetwork, Network
from kitty_run.profile.workspace import workspace_config

Doc = Mapping[str, Any]

DEFAULT_GATES: Mapping[str, tuple[GateName, ...]] = {
    "full_auto": (),
    "supervised": ("merge",),
    "interactive": ("start", "done", "merge"),
}
"""Where a person is asked when the profile doesn't say, by `policy.approval_mode`."""


def build(document: Doc, path: Path) -> model.Profile:
    """The profile that `document`, the resolved one of the file `path`, describes."""
    return model.Profile(
        path=path,
        name=document.get("name", path.stem),
        description=document.get("description", ""),
        mission=document.get("mission"),
        host=_host(document["host"]),
        policy=_policy(document["policy"]),
        agents={name: _agent(name, agent) for name, agent in document["agents"].items()},
        roles={name: _role(name, role) for name, role in document["roles"].items()},
        concurrency=_concurrency(document["concurrency"]),
        retry=_retry(document["retry"]),
        gates=_gates(document),
        limits=_limits(document.get("limits", {})),
        finish=_finish(document["finish"], document["policy"]["approval_mode"]),
        commit_message=document["commit"]["message"],
        digest=digest(document),
        executor=_executor(document["executor"]),
        workspace=workspace_config(document["workspace"]),
        fast_failures=_fast_failures(document["fast_failures"]),
        network=Network(tuple(document.get("network", {}).get("allow", ()))),
        assurance=document.get("assurance", "declared"),
        prices={name: Price(**price) for name, price in document.get("prices", {}).items()},
    )


def digest(document: Doc) -> str:
    """SHA-256 (hex) of the document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _host(host: Doc) -> model.HostConfig:
    times = {key: seconds(host[key]) for key in ("timeout", "poll") if key in host}
    return model.HostConfig(**{**host, **times, **_tuples(host, "command")})


def _executor(executor: str | Doc) -> model.ExecutorConfig:
    return model.ExecutorConfig(**({"kind": executor} if isinstance(executor, str) else executor))


def _policy(policy: Doc) -> model.Policy:
    from kitty_run import __version__

    return model.Policy(
        orchestrator_id=policy["orchestrator_id"],
        orchestrator_version=policy.get("orchestrator_version", __version__),
        agent_family=policy.get("agent_family"),
        axes={name: policy[name] for name in policy_axes()},
        dangerous_flags=tuple(policy.get("dangerous_flags", ())),
        tool_restrictions=policy.get("tool_restrictions"),
    )


def _tuples(document: Doc, *keys: str) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(document[key]) for key in keys if key in document}


def _times(document: Doc, *keys: str) -> dict[str, float | None]:
    given = {key: document[key] for key in keys if key in document}
    return {key: None if text == "none" else seconds(text) for key, text in given.items()}


def _agent(name: str, agent: Doc) -> model.Agent:
    env, resume, success = agent.get("env", {}), agent.get("resume"), agent.get("success")
    fields: dict[str, Any] = {
        **_tuples(agent, "command", "args", "home"),
        **_times(agent, "timeout", "idle_timeout", "kill_grace"),
        **{key: agent[key] for key in ("prompt", "sandbox") if key in agent},
    }
    return model.Agent(
        name=name,
        family=agent.get("family", name),
        enforce={axis: _extras(table) for axis, table in agent.get("enforce", {}).items()},
        roles=_extras(agent.get("roles", {})),
        env=model.AgentEnv(tuple(env.get("pass", ())), env.get("set", {})),
        output=_output(agent.get("output", {})),
        resume=tuple(resume["args"]) if resume is not None else None,
        success=success["match"] if success is not None else None,
        failures=tuple(_failure(rule) for rule in agent.get("failures", ())),
        resources=_resources(agent.get("resources", {})),
        network=AgentNetwork(tuple(agent.get("network", {}).get("hosts", ()))),
        **fields,
    )


def _resources(resources: Doc) -> Resources:
    sizes = {key: memory_size(resources[key]) for key in MEMORY_KEYS if key in resources}
    return Resources(**{**resources, **sizes})


def _output(output: Doc) -> Output:
    files = tuple(SessionFile(**_pointers(each)) for each in output.get("session_files", ()))
    return Output(**{**_pointers(output), "session_files": files})


def _pointers(output: Doc) -> dict[str, Any]:
    """With what may be one pointer or several as several."""
    several = {
        key: (value,) if isinstance(value := output[key], str) else tuple(value)
        for key in NUMBERS & output.keys()
    }
    return {**output, **several}


def _extras(table: Doc) -> dict[Any, model.Extra]:
    return {name: _extra(extra) for name, extra in table.items()}


def _extra(extra: str | list[str] | Doc) -> model.Extra:
    if isinstance(extra, str):
        return model.Extra(runner=True)
    if isinstance(extra, list):
        return model.Extra(tuple(extra))
    return model.Extra(**{**extra, **_tuples(extra, "args")})


def _failure(rule: Doc) -> model.FailureRule:
    codes = tuple(rule.get("exit_codes", ()))
    named = None if rule["class"] == "by_text" else FailureClass(rule["class"])
    return model.FailureRule(named, codes, rule.get("match"))


def _role(name: str, role: Doc) -> model.Role:
    return model.Role(
        name=cast("RoleName", name),
        agents=tuple(role["agents"]),
        prompt=role.get("prompt"),
        checks=tuple(_check(check) for check in role.get("checks", ())),
        independent=role.get("independent", False),
        diff=_diff(role.get("diff", {})),
    )


def _diff(diff: Doc) -> ReviewDiff:
    given: dict[str, Any] = {"limit": size(diff["limit"])} if "limit" in diff else {}
    return ReviewDiff(**given | _tuples(diff, "exclude"))


def _check(check: Doc) -> model.Check:
    times: dict[str, Any] = _times(check, "timeout")
    return model.Check(check["name"], tuple(check["command"]), **times | _tuples(check, "criteria"))


def _concurrency(concurrency: Doc) -> model.Concurrency:
    return model.Concurrency(**concurrency)


def _retry(retry: Doc) -> model.RetryTables:
    tables = {
        name: {key: _row(row) for key, row in retry[name].items()} for name in ("host", "agent", "review")
    }
    return model.RetryTables(**tables)


def _row(row: Doc) -> model.RetryRow:
    given = {key: row[key] for key in ("attempts",) if key in row}
    return model.RetryRow(
        do=Action(row["do"]),
        backoff=_backoff(row.get("backoff", {})),
        then=Action(row.get("then", "block")),
        **given,
    )


def _backoff(backoff: Doc) -> model.Backoff:
    times: dict[str, Any] = _times(backoff, "initial", "max")
    return model.Backoff(**{**backoff, **times})


def _fast_failures(rule: Doc) -> model.FastFailures:
    return model.FastFailures(seconds(rule["within"]), _backoff(rule["backoff"]), rule["opens"])


def _gates(document: Doc) -> tuple[GateName, ...]:
    before = document.get("gates", {}).get("before")
    return DEFAULT_GATES[document["policy"]["approval_mode"]] if before is None else tuple(before)


def _limits(limits: Doc) -> Limits:
    own = limits.get("work_package", {})
    work_package = Allowance(**{**own, **_times(own, *TIMES)})
    times: dict[str, Any] = _times(limits, *TIMES)
    return Limits(**{**limits, **times, "work_package": work_package})


def _finish(finish: Doc, approval_mode: str) -> Finish:
    merge = finish.get("merge", True)
    merging = None if merge is False else Merge(**({} if merge is True else merge))
    usual = "review" if approval_mode == "full_auto" else "person"
    acceptance, evidence = finish.get("acceptance", usual), finish.get("evidence", "review")
    return Finish(finish.get("accept", True), merging, acceptance, evidence)
