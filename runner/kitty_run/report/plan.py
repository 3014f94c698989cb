"""A plan as text for people, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from kitty_run.planner.plan import AgentPlan, KeptAxis, MissionPlan, Plan, WorkPackagePlan, in_order
from kitty_run.profile.limits import Allowance
from kitty_run.profile.model import Profile, Role
from kitty_run.profile.validation.unseen_limits import unseen
from kitty_run.report.formatting import command_line, count, duration, indented
from kitty_run.text.clean import clean

FORMAT = 1
"""Version of the JSON object, in it as `v`."""

_COLUMN = 13


def as_text(plan: Plan) -> str:
    """The plan for people; nothing of it depends on the terminal."""
    lines = [*_head(plan), "", *(_mission(plan.profile, plan.mission) if plan.mission else [_NO_MISSION])]
    for role in plan.profile.roles.values():
        lines += ["", *_role(role, plan.roles[role.name], plan.profile.gates)]
    lines += ["", *_rules(plan.profile)]
    if plan.mission:
        lines += ["", *_end(plan.mission)]
    return clean("\n".join(lines) + "\n")


_NO_MISSION = (
    "mission      none given: --mission SLUG, or `mission: SLUG` in the profile, shows its work packages"
)


def as_json(plan: Plan) -> dict[str, object]:
    """The object that `--json` prints; `docs/cli.md` describes it."""
    profile = plan.profile
    return {
        "v": FORMAT,
        "profile": {"name": profile.name, "path": str(profile.path), "digest": profile.digest},
        "policy": profile.policy.payload(profile.policy.agent_family or "<family>"),
        "roles": {
            name: {
                "agents": [asdict(agent) for agent in agents],
                "independent": profile.roles[name].independent,
                "checks": [asdict(check) for check in profile.roles[name].checks],
            }
            for name, agents in plan.roles.items()
        },
        "concurrency": asdict(profile.concurrency),
        "gates": list(profile.gates),
        "limits": asdict(profile.limits),
        "unseen": [{"limit": one.key, "agents": list(one.agents)} for one in unseen(profile)],
        "mission": _encoded(plan.mission) if plan.mission else None,
    }


def _encoded(mission: MissionPlan) -> dict[str, object]:
    record = asdict(mission) | mission.cost.record()
    del record["cost"]
    return record


def _line(name: str, text: str) -> str:
    return f"{name:<{_COLUMN - 2}}  {text}".rstrip()


def _head(plan: Plan) -> Iterator[str]:
    profile = plan.profile
    yield _line("profile", f"{profile.name} ({profile.path})")
    if profile.description:
        yield _line("", profile.description)


def _mission(profile: Profile, mission: MissionPlan) -> Iterator[str]:
    number = count(len(mission.work_packages), "work package")
    yield _line("mission", f"{mission.mission}, {number}")
    yield _line(
        "host", f"contract {mission.contract}, dialect {mission.dialect}, topology {mission.topology}"
    )
    if mission.run:
        so_far = count(mission.attempts, "attempt")
        cost = f", cost {mission.cost}" if mission.attempts else ""
        yield _line("continues", f"with run {mission.run}, {so_far} so far{cost}")
    most = count(profile.concurrency.work_packages, "work package")
    yield _line("order", f"if nothing fails; {most} at once, each started as soon as possible")
    for number_, packages in in_order(mission):
        yield _line(f"  wave {number_}", "")
        yield from (_work_package(one) for one in packages)
    rest = [one for one in mission.work_packages if one.wave is None]
    if rest:
        yield _line("  not run", "")
        yield from (_work_package(one) for one in rest)


def _work_package(one: WorkPackagePlan) -> str:
    first = f"first {one.step.value}" if one.step else ""
    waits = f"waits on {', '.join(one.waits_on)}" if one.waits_on else ""
    depends = f"after {', '.join(one.dependencies)}" if one.dependencies and not waits else ""
    shares = f"one at a time with {', '.join(one.shares)} (same workspace)" if one.shares else ""
    what = "; ".join(part for part in (waits or first, depends, shares) if part)
    return f"    {one.id:<7}  {one.lane:<11}  {what}".rstrip()


def _role(role: Role, agents: Sequence[AgentPlan], gates: Sequence[str]) -> Iterator[str]:
    yield _line(role.name, ", then ".join(agent.name for agent in agents))
    if role.independent:
        yield _line("", "never of the family that implemented the work package, where another is listed")
    for agent in agents:
        yield from _agent(agent, gates)
    for check in role.checks:
        text = f"{check.name}: {command_line(check.command)} (at most {duration(check.timeout)})"
        yield _line("  check", text)


def _agent(agent: AgentPlan, gates: Sequence[str]) -> Iterator[str]:
    given = " < <prompt>" if agent.stdin else ""
    yield _line(f"  {agent.name}", f"{command_line(agent.argv)}{given}")
    if agent.resumed is not None:
        yield _line("", f"later: {command_line(agent.resumed)}{given}")
    for kept in agent.kept:
        yield _line("", f"{kept.axis:<13}  {kept.value:<15}  {_trust(kept)}{_how(kept, gates)}")
    idle = f", or {duration(agent.idle_timeout)} without output" if agent.idle_timeout else ""
    yield _line("", f"ended after {duration(agent.timeout)}{idle}")


def _trust(kept: KeptAxis) -> str:
    return "" if kept.unrestricted or not kept.trust else f"{kept.trust + ':':<10} "


def _how(kept: KeptAxis, gates: Sequence[str]) -> str:
    parts = [f"inside {kept.sandbox}, made by kitty-run"] if kept.sandbox else []
    parts += [command_line(kept.args)] if kept.args else []
    parts += [f"variable {name}" for name in kept.env]
    parts += [f"file {name}" for name in kept.files]
    parts += [f"what is passed for {name}" for name in kept.with_others if not parts]
    if parts:
        return ", ".join(parts)
    if kept.unrestricted:
        return "no restriction"
    if kept.axis == "approval_mode" and gates:
        return f"a person is asked before {', '.join(gates)}"
    if kept.trust == "cli":
        return "the same command line keeps it under every value"
    return "not passed: the agent's own default applies"


def _rules(profile: Profile) -> Iterator[str]:
    caps = [f"{name} {number}" for name, number in profile.concurrency.roles.items()]
    caps += [f"{name} {number}" for name, number in profile.concurrency.agents.items()]
    if caps:
        yield _line("at once", ", ".join(caps))
    if profile.policy.dangerous_flags:
        yield _line("dangerous", ", ".join(profile.policy.dangerous_flags))
    yield _line("gates", ", ".join(_gate(gate) for gate in profile.gates) or "none: no person is asked")
    yield from _limits(profile)


def _gate(gate: str) -> str:
    return "before each work package is done" if gate == "done" else f"before {gate}"


def _limits(profile: Profile) -> Iterator[str]:
    limits = profile.limits
    texts = [", ".join(_allowance(limits))]
    if own := ", ".join(_allowance(limits.work_package)):
        texts.append(f"{own} for each work package")
    yield _line("limits", "; ".join(filter(None, texts)) or "none")
    for one in unseen(profile):
        yield _line("", str(one))


def _allowance(limits: Allowance) -> Iterator[str]:
    return (limit.unit.amount(allowed) for limit, allowed in limits.given())


def _end(mission: MissionPlan) -> Iterator[str]:
    steps = mission.finish or ("nothing: the profile neither accepts nor merges",)
    for number, step in enumerate(steps, 1):
        yield _line("finish" if number == 1 else "", f"{number}. {step}" if mission.finish else step)
    for number, problem in enumerate(mission.problems):
        yield _line("" if number else "in the way", indented(problem, _COLUMN))
    for number, warning in enumerate(mission.warnings):
        yield _line("" if number else "to know", indented(warning, _COLUMN))
