"""`python -m kitty_run.host.sim ARGS`: answers what `spec-kitty ARGS` would, on a mission of one's own.

The repository needs a directory `.kittify` and `kitty-specs/SLUG/tasks/WP01.md` files with front matter
(`dependencies`, `subtasks`). The generation is `mission` (3.2), or what `$KITTY_SIM_DIALECT` or the file
`.kittify/sim-dialect` names: `feature` is 1.0, `mission-4` is 4. Worktrees, commits and merges are
real. On 4 the `topology` in `meta.json` counts: with `coord` the status is on a branch of its own, with
`single_branch` the work is done in the root checkout. Elsewhere missions are as those with lanes.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kitty_run.host.model import Lane
from kitty_run.host.sim import rules as engine
from kitty_run.host.sim.answers import identity, print_answer, print_plain, print_usage_error
from kitty_run.host.sim.arguments import GROUP, SimUsageError, parse
from kitty_run.host.sim.criteria import open_criteria, settle
from kitty_run.host.sim.git import GitFailed, git
from kitty_run.host.sim.merging import merge_directories, merge_lanes, merge_nothing
from kitty_run.host.sim.missions import Mission, find
from kitty_run.host.sim.state import Answer, Call, SimState, SimWorkPackage
from kitty_run.host.sim.store import EventStore, FrontMatterStore, Store
from kitty_run.host.sim.tables import Rules, rules
from kitty_run.host.sim.worktrees import (
    AllocationFailed,
    CheckoutRefused,
    LaneWorktree,
    RootCheckout,
    allocate,
    lane_worktree,
    with_status_apart,
)

DEFAULT_DIALECT = "mission"


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one command line; the exit status."""
    argv = sys.argv[1:] if arguments is None else arguments
    if "--help" in argv:
        print(__doc__)  # noqa: T201
        return 0
    if list(argv) == ["--version"]:
        print("spec-kitty-cli simulated")  # noqa: T201
        return 0
    root = _root()
    table = rules(_dialect(root))
    try:
        call = parse(table, argv)
    except SimUsageError as error:
        return print_usage_error(table, error)
    if call.command == "contract-version":
        return print_answer(table, "contract-version", _contract(table, call))
    with _alone(root):
        answer = _on_mission(table, root, call)
    plain = argv[0] != GROUP
    return print_plain(answer) if plain else print_answer(table, argv[1], answer)


def _contract(table: Rules, call: Call) -> Answer:
    version = call.provider_version
    if version is not None and not re.fullmatch(r"[1-9]\d*(\.\d+)*|0\.[1-9]\d*(\.\d+)*", version):
        return Answer("CONTRACT_VERSION_MISMATCH", {"provider_version": version}, "not supported")
    return Answer(None, {"api_version": table.contract, "min_supported_provider_version": "0.1.0"})


def _on_mission(table: Rules, root: Path | None, call: Call) -> Answer:
    mission = find(root, call.mission) if root else None
    if mission is None:
        return Answer(table.not_found, {}, f"{call.mission!r} not found in kitty-specs/")
    if mission.topology in table.status_apart:
        mission = with_status_apart(mission)
    store: Store = FrontMatterStore(mission) if table.traits.workspaces == "runner" else EventStore(mission)
    before = store.load()
    call = _looked_up(table, mission, call)
    after, answer = engine.apply(table, before, call)
    if answer.code is None:
        answer = _done(table, mission, before, call, answer)
    if answer.code is None:
        store.save(before, after, call)
    return _named(table, mission, answer)


def _named(table: Rules, mission: Mission, answer: Answer) -> Answer:
    """With the mission's identity, which refusals of 1.0 and refusals without structured data lack."""
    refusal_names = table.message_with_data and bool(answer.data) and answer.code != "UNSUPPORTED_STRATEGY"
    if answer.code is not None and not refusal_names:
        return answer
    return replace(answer, data={**identity(table, mission), **answer.data})


def _looked_up(table: Rules, mission: Mission, call: Call) -> Call:
    """With what git and files know: whether there is a commit of its own, and which criteria are open."""
    if call.command == "accept":
        return replace(call, open=open_criteria(mission))
    if call.to != "for_review" or table.traits.workspaces == "runner" or call.wp not in mission.prompts():
        return replace(call, alone=_at_root(table, mission))
    return replace(call, committed=_place(table, mission, call.wp).committed(mission))


def _at_root(table: Rules, mission: Mission) -> bool:
    return mission.topology in table.at_root


def _place(table: Rules, mission: Mission, wp: str) -> LaneWorktree | RootCheckout:
    """Where `wp` is worked on."""
    return RootCheckout(mission, wp) if _at_root(table, mission) else lane_worktree(mission, wp)


def _done(table: Rules, mission: Mission, state: SimState, call: Call, answer: Answer) -> Answer:
    """The effects of an accepted call beyond the lanes: worktrees made, branches merged, paths named."""
    if call.command == "merge":
        merge = merge_lanes if table.traits.workspaces == "host" else merge_directories
        merge = merge_nothing if _at_root(table, mission) else merge
        merged = merge(mission, state, call)
        return merged if merged.code else replace(answer, data={**answer.data, **merged.data})
    if call.command == "settle":
        return settle(mission, call, answer)
    if call.command in {"start-implementation", "start-review", "resolve-workspace"}:
        return _with_paths(table, mission, state, call, answer)
    return answer


def _with_paths(table: Rules, mission: Mission, state: SimState, call: Call, answer: Answer) -> Answer:
    paths: dict[str, object] = {"prompt_path": str(mission.prompts()[call.wp])}
    if call.command == "start-review":
        return replace(answer, data={**answer.data, **paths})
    if table.traits.workspaces == "runner":
        paths["workspace_path"] = str(mission.root / ".worktrees" / f"{mission.slug}-{call.wp}")
        return replace(answer, data={**answer.data, **paths})
    try:
        worktree = _place(table, mission, call.wp)
        if call.command == "start-implementation":
            _allocate(mission, state.work_packages[call.wp], worktree)
    except CheckoutRefused as error:
        return Answer(error.code, {"wp_id": call.wp}, str(error))
    except AllocationFailed as error:
        return Answer("LANE_ALLOCATION_FAILED", {"wp_id": call.wp, "reason": str(error)}, str(error))
    lane = {"lane_id": worktree.lane, "lane_branch": worktree.branch, "lane_base_ref": worktree.base}
    return replace(answer, data={**answer.data, **paths, "workspace_path": str(worktree.path), **lane})


def _allocate(mission: Mission, wp: SimWorkPackage, place: LaneWorktree | RootCheckout) -> None:
    """Make the place of `wp` ready; raises `AllocationFailed`, or `CheckoutRefused` for a new claim."""
    if isinstance(place, LaneWorktree):
        allocate(mission, wp.id, wp.dependencies)
    elif wp.lane is not Lane.IN_PROGRESS:
        place.claim()


def _root() -> Path | None:
    """The root of the main checkout around the working directory, as the real hosts find it."""
    try:
        return Path(git(Path.cwd(), "rev-parse", "--path-format=absolute", "--git-common-dir")).parent
    except GitFailed:
        return None


def _dialect(root: Path | None) -> str:
    named = root / ".kittify" / "sim-dialect" if root else None
    written = named.read_text(encoding="utf-8").strip() if named and named.is_file() else DEFAULT_DIALECT
    return os.environ.get("KITTY_SIM_DIALECT", written)


@contextmanager
def _alone(root: Path | None) -> Iterator[None]:
    """One call at a time in a repository."""
    if root is None:
        yield
        return
    with (root / ".git" / "kitty-sim.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
