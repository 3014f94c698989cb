"""The simulated host's rules: (state, call) to (state, answer), without any effect.

Lane rules, guards, error codes and who may take what are those of the real hosts (`tables/*.yaml`); what is
left out on purpose is every way around them: there is no force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from kitty_run.host.envelope import COMMAND_FAILED
from kitty_run.host.model import Lane
from kitty_run.host.sim import policy
from kitty_run.host.sim.state import Answer, Call, SimState, SimWorkPackage
from kitty_run.host.sim.tables import Rules

Outcome = tuple[SimState, Answer]


class Refusal(Exception):
    """A call that the host refuses; never leaves this module."""

    def __init__(self, code: str, message: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.answer = Answer(code, data or {}, message)


def apply(rules: Rules, state: SimState, call: Call) -> Outcome:
    """What `call` does to `state`; a refused call leaves it as it was."""
    try:
        return _COMMANDS[call.command](rules, state, call)
    except Refusal as refusal:
        return state, refusal.answer


def ready(rules: Rules, state: SimState) -> tuple[SimWorkPackage, ...]:
    """The planned work packages whose dependencies are satisfied, in order."""
    planned = (wp for wp in state.work_packages.values() if wp.lane is Lane.PLANNED)
    return tuple(wp for wp in planned if not unsatisfied(rules, state, wp))


def unsatisfied(rules: Rules, state: SimState, wp: SimWorkPackage) -> tuple[str, ...]:
    """The dependencies of `wp` that it waits for."""
    return tuple(name for name in wp.dependencies if not _satisfied(rules, state.work_packages.get(name)))


def _satisfied(rules: Rules, wp: SimWorkPackage | None) -> bool:
    if wp is None:
        return False
    return wp.lane in rules.traits.satisfied_by or (rules.removed_satisfies and wp.removed)


def _state(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    entries = [
        {
            "wp_id": wp.id,
            "lane": wp.lane.value,
            "dependencies": list(wp.dependencies),
            "last_actor": wp.actor if rules.last_actor else None,
        }
        for wp in state.work_packages.values()
    ]
    return state, Answer(None, {"work_packages": entries})


def _list_ready(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    entries = [
        {"wp_id": wp.id, "lane": wp.lane.value, "dependencies_satisfied": True} for wp in ready(rules, state)
    ]
    return state, Answer(None, {"ready_work_packages": entries})


def _start_implementation(rules: Rules, state: SimState, call: Call) -> Outcome:
    _check_policy(rules, call, needed=True)
    wp = _wp(state, call)
    if wp.lane not in rules.start_from | {Lane.IN_PROGRESS}:
        raise Refusal("TRANSITION_REJECTED", f"WP {wp.id} is in '{wp.lane}', cannot start implementation")
    waiting = unsatisfied(rules, state, wp)
    if rules.check_dependencies and wp.lane in rules.start_from and waiting:
        raise Refusal(
            "DEPENDENCIES_NOT_SATISFIED",
            f"{wp.id} depends on {', '.join(waiting)}",
            {"wp_id": wp.id, "unsatisfied_dependencies": list(waiting)},
        )
    if wp.lane is not Lane.PLANNED and wp.actor not in (None, call.actor):
        raise Refusal(
            "WP_ALREADY_CLAIMED",
            f"WP {wp.id} is already claimed by '{wp.actor}'",
            {"claimed_by": wp.actor, "requesting_actor": call.actor},
        )
    if call.alone:
        _check_alone(state, wp)
    return _moved(state, wp, Lane.IN_PROGRESS, call, no_op=wp.lane is Lane.IN_PROGRESS)


def _check_alone(state: SimState, wp: SimWorkPackage) -> None:
    """Refuse a second work package in progress in the root checkout."""
    others = [one.id for one in state.work_packages.values() if one.id != wp.id]
    busy = [other for other in others if state.work_packages[other].lane is Lane.IN_PROGRESS]
    if busy:
        text = f"{busy[0]} is already in_progress in the shared write checkout"
        raise Refusal("WRITE_CHECKOUT_OCCUPIED", text, {"wp_id": wp.id})


def _start_review(rules: Rules, state: SimState, call: Call) -> Outcome:
    _check_policy(rules, call, needed=True)
    wp = _wp(state, call)
    if rules.review_again and wp.lane is rules.review_to:
        return state, Answer(None, _report(wp, wp.lane, no_op=True))
    if wp.lane is not Lane.FOR_REVIEW:
        raise Refusal("TRANSITION_REJECTED", f"WP {wp.id} is in '{wp.lane}', cannot start review")
    _check_guards(rules.review_needs, wp, call)
    return _moved(state, wp, rules.review_to, call, no_op=False if rules.review_again else None)


def _transition(rules: Rules, state: SimState, call: Call) -> Outcome:
    wp, target = _wp(state, call), _target(rules, call)
    _check_policy(rules, call, needed=target in rules.policy_lanes)
    if wp.lane is target and rules.same_lane == "no_op":
        return state, Answer(None, _report(wp, target))
    guards = rules.transitions[wp.lane].get(target)
    if guards is None:
        raise Refusal("TRANSITION_REJECTED", f"Illegal transition: {wp.lane} -> {target}")
    _check_guards(guards, wp, call)
    return _moved(state, wp, target, call)


def _append_history(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    return state, Answer(None, {"wp_id": _wp(state, call).id})


def _resolve_workspace(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    return state, Answer(None, {"wp_id": _wp(state, call).id})


def _mark_status(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    for subtask in call.subtasks:
        holder = state.holder_of_subtask(subtask)
        if holder is None:
            raise Refusal(COMMAND_FAILED, f"no such subtask: {subtask}")
        state = state.with_wp(replace(holder, ticked=holder.ticked | {subtask}))
    return state, Answer(None, {"summary": {"updated": len(call.subtasks)}})


def _move_task(rules: Rules, state: SimState, call: Call) -> Outcome:
    """A claim that names who claims; other moves are left out."""
    wp = _wp(state, call)
    if wp.lane is not Lane.PLANNED or call.to != "claimed":
        raise Refusal(COMMAND_FAILED, f"Illegal transition: {wp.lane} -> {call.to}")
    if waiting := unsatisfied(rules, state, wp):
        raise Refusal(COMMAND_FAILED, f"{wp.id} depends on {', '.join(waiting)}")
    claimed = replace(wp, lane=Lane.CLAIMED, actor=call.agent, agent=call.agent)
    return state.with_wp(claimed), Answer(None, {"result": "success", "new_lane": call.to})


def _settle(rules: Rules, state: SimState, call: Call) -> Outcome:  # noqa: ARG001
    return state, Answer(None, {"success": True, "criterion": call.criterion, "result": call.result})


def _accept(rules: Rules, state: SimState, call: Call) -> Outcome:
    left = [wp.id for wp in state.work_packages.values() if wp.lane not in rules.traits.finished]
    if left:
        raise Refusal(rules.not_ready, f"{len(left)} incomplete", {"incomplete_wps": left})
    if rules.wants_evidence:
        _check_ready(rules, state, call)
    return replace(state, accepted=True), Answer(None, {"accepted": True, "mode": "auto"})


def _check_ready(rules: Rules, state: SimState, call: Call) -> None:
    nobody = [f"{wp.id}: missing agent" for wp in state.work_packages.values() if not wp.agent]
    pending = [f"Acceptance matrix verdict is 'pending': {name}" for name in call.open]
    outstanding = {"metadata": nobody, "activity": pending}
    if nobody or pending:
        found = {kind: things for kind, things in outstanding.items() if things}
        raise Refusal(rules.not_ready, "Acceptance checks failed", {"outstanding": found})


def _merge(rules: Rules, state: SimState, call: Call) -> Outcome:
    if call.strategy not in rules.merge_strategies:
        supported = sorted(rules.merge_strategies)
        data = {"strategy": call.strategy, "supported": supported}
        raise Refusal("UNSUPPORTED_STRATEGY", f"Strategy '{call.strategy}' is not supported", data)
    report: dict[str, object] = {
        "merged": True,
        "target_branch": call.target,
        "strategy": call.strategy,
        "worktree_removed": False,
    }
    if rules.names_merged:
        report["merged_wps"] = list(state.work_packages)
    return replace(state, merged=True), Answer(None, report)


def _wp(state: SimState, call: Call) -> SimWorkPackage:
    if call.wp not in state.work_packages:
        raise Refusal("WP_NOT_FOUND", f"Work package '{call.wp}' not found in {state.mission}")
    return state.work_packages[call.wp]


def _target(rules: Rules, call: Call) -> Lane:
    if call.to not in {lane.value for lane in rules.transitions} | {"claimed"}:
        raise Refusal("TRANSITION_REJECTED", f"Unsupported target lane '{call.to}'")
    return Lane.IN_PROGRESS if Lane(call.to) not in rules.transitions else Lane(call.to)


def _check_policy(rules: Rules, call: Call, needed: bool) -> None:
    if call.policy is None:
        if needed:
            raise Refusal("POLICY_METADATA_REQUIRED", f"--policy is required for {call.command}")
        return
    found = policy.problem(call.policy, rules.strict_policy)
    if found:
        raise Refusal("POLICY_VALIDATION_FAILED", found)


def _check_guards(guards: tuple[str, ...], wp: SimWorkPackage, call: Call) -> None:
    for guard in guards:
        if not _GUARDS[guard](wp, call):
            named = {"wp_id": wp.id} if guard == "commit" else {}
            raise Refusal("TRANSITION_REJECTED", f"WP {wp.id}: the transition needs: {guard}", named)


def _moved(
    state: SimState, wp: SimWorkPackage, target: Lane, call: Call, no_op: bool | None = None
) -> Outcome:
    removed = target is Lane.CANCELED and bool(call.note)
    changed = replace(wp, lane=target, actor=call.actor, removed=removed)
    kept = state if no_op else state.with_wp(changed)
    return kept, Answer(None, _report(wp, target, no_op, recorded=call.policy is not None))


def _report(
    wp: SimWorkPackage, target: Lane, no_op: bool | None = None, recorded: bool = True
) -> Mapping[str, object]:
    data: dict[str, object] = {"wp_id": wp.id, "from_lane": wp.lane.value, "to_lane": target.value}
    data["policy_metadata_recorded"] = recorded
    return data if no_op is None else {**data, "no_op": no_op}


def _has_review(wp: SimWorkPackage, call: Call) -> bool:  # noqa: ARG001
    """A review result, which a reference or evidence given beside it must not contradict."""
    result = call.review_result
    if not _complete(result) or result is None:
        return False
    if call.review_ref is not None and call.review_ref != result["reference"]:
        return False
    evidence = call.evidence
    return evidence is None or evidence.get("review") == result


def _has_approval(wp: SimWorkPackage, call: Call) -> bool:  # noqa: ARG001
    return (call.review_result or {}).get("verdict") == "approved"


def _has_evidence(wp: SimWorkPackage, call: Call) -> bool:  # noqa: ARG001
    review = (call.evidence or {}).get("review")
    return isinstance(review, Mapping) and _complete(review) and review["verdict"] == "approved"


def _complete(review: Mapping[str, object] | None) -> bool:
    return bool(review) and all((review or {}).get(key) for key in ("reviewer", "verdict", "reference"))


_GUARDS: Mapping[str, Callable[[SimWorkPackage, Call], bool]] = {
    "note": lambda _, call: bool(call.note),
    "review_ref": lambda _, call: bool(call.review_ref),
    "review": _has_review,
    "approval": _has_approval,
    "evidence": _has_evidence,
    "subtasks": lambda wp, _: wp.ticked >= set(wp.subtasks),
    "commit": lambda _, call: call.committed,
}

_COMMANDS: Mapping[str, Callable[[Rules, SimState, Call], Outcome]] = {
    "state": _state,
    "list-ready": _list_ready,
    "start-implementation": _start_implementation,
    "start-review": _start_review,
    "transition": _transition,
    "append-history": _append_history,
    "resolve-workspace": _resolve_workspace,
    "mark-status": _mark_status,
    "move-task": _move_task,
    "settle": _settle,
    "accept": _accept,
    "merge": _merge,
}
