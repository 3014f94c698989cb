"""The simulated repository: branches, kept commits and the merge of a simulated mission."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from kitty_run.git.protocols import Conflict, Loss, Standing, Unmerged
from kitty_run.git.provenance import Foreign
from kitty_run.git.root_state import AbortedMerge, BroughtIn, Dirt, RootState
from kitty_run.simulation.workspaces import WorkspaceContent


class SimulatedRepository:
    """`RepositoryPort` over the workspaces' content.

    `names` are the mission's workspaces; `merged` says whether the host has merged.
    `conflicting` is what computing that merge finds before, `unmerged` what verifying it finds missing;
    `remote_has_target` says whether the remote has the merged target; it takes a push unless `remote_refuses`
    says why it does not.
    `moved_back` is what others have reset branches to, by name, so that commits are missing there.
    `kept_commits` are those kept under refs, by the refs' names; `status_commits` the mission's folders whose
    status was committed. `root` is what its root checkout has checked out, and whose git is at work there;
    `uncommitted` what people have changed there.
    """

    def __init__(
        self,
        contents: dict[str, WorkspaceContent],
        names: Callable[[], Collection[str]],
        merged: Callable[[], bool],
    ) -> None:
        self._contents = contents
        self._names = names
        self._merged = merged
        self.conflicting: Conflict | None = None
        self.unmerged: tuple[Unmerged, ...] = ()
        self.kept_commits: dict[str, str] = {}
        self.status_commits: list[Path] = []
        self.cleaned_up = False
        self.root = RootState("main")
        self.uncommitted = Dirt()
        self.remote_has_target = True
        self.remote_refuses: str | None = None
        self.delivered: list[str] = []
        """The commits that were brought onto the target before they were handed in."""
        self.keeps_out: BroughtIn | None = None
        """Why none can be brought there; None: they can."""
        self.moved_back: dict[str, str] = {}
        self._merged_heads: dict[str, list[str]] = {}

    def note_merge(self) -> None:
        """Remember what the host's merge took: the commits of each workspace, the oldest first."""
        self._merged_heads = {
            name: self._contents[name].heads for name in self._names() if name in self._contents
        }

    async def current_branch(self) -> str | None:
        return self.root.branch

    async def glance(self, worktree: Path | None = None) -> RootState:
        return self.root

    async def dirt(self) -> Dirt:
        return self.uncommitted

    async def resolve(self, ref: str) -> str | None:
        content = self._of(ref)
        return f"commit-of-{ref}" if content is None else content.head

    async def standing(self, branch: str, reviewed: Sequence[str], known: Sequence[str]) -> Standing | None:
        content = self._of(branch)
        if content is None:
            return None
        missing = tuple(one for one in reviewed if one not in content.heads)
        there = [at for at, head in enumerate(content.heads) if head in reviewed]
        goal = content.heads[there[-1]] if there and not missing else None
        seen = [at for at, head in enumerate(content.heads) if head in reviewed or head in known]
        after = content.heads[seen[-1] + 1 :] if seen else content.heads[1:]
        foreign = tuple(Foreign(one, "sneaked in", ()) for one in after)
        return Standing(content.head, foreign, missing, goal)

    async def put_back(self, mission: str, wp: str, branch: str, commit: str) -> str:
        content = self._of(branch)
        if content is not None:
            content.reset(commit)
        return f"refs/kitty-run/{mission}/aside/{wp}"

    async def restore(self, branch: str, commit: str) -> None:
        raise NotImplementedError("simulated branches are always there")

    async def hidden(self, branches: Sequence[str]) -> tuple[str, ...]:
        return ()

    async def changes_nothing(self, target: str, heads: Sequence[str], branch: str) -> bool:
        return True

    async def place(self, branch: str) -> Path | None:
        return None

    async def brought(self, before: str, target: str, known: Sequence[str]) -> tuple[Foreign, ...]:
        """The commits behind the last of `known` in each workspace, as they were when the host merged."""
        if not self._merged():
            return ()
        found: list[str] = []
        for heads in self._merged_heads.values():
            there = [at for at, head in enumerate(heads) if head in known]
            found += heads[(there[-1] if there else 0) + 1 :]
        return tuple(Foreign(one, "sneaked in", ()) for one in dict.fromkeys(found))

    async def conflict(self, target: str, heads: Sequence[str]) -> Conflict | None:
        return self.conflicting

    async def lost(self, before: str, target: str, heads: Sequence[str]) -> Loss:
        return Loss((), before)

    async def remote_of(self, branch: str) -> str:
        return "origin"

    async def is_on(self, remote: str, branch: str) -> bool:
        return self.remote_has_target

    async def push(self, remote: str, branch: str) -> str | None:
        self.remote_has_target = self.remote_refuses is None
        return self.remote_refuses

    async def dirty_tracked(self) -> tuple[str, ...]:
        return (*self.uncommitted.staged, *self.uncommitted.changed)

    async def commit_status(
        self, mission_dir: Path, message: str, worktree: Path | None = None
    ) -> str | None:
        self.status_commits.append(mission_dir)
        return "status-commit"

    async def bring_in(self, branch: str, commit: str, message: str) -> BroughtIn:
        if self.keeps_out is not None or commit in self.delivered:
            return self.keeps_out or BroughtIn()
        self.delivered.append(commit)
        return BroughtIn(commit=f"merge-of-{commit}")

    async def verify_merged(self, target: str, heads: Mapping[str, str]) -> tuple[Unmerged, ...]:
        if not self._merged():
            return tuple(Unmerged(wp, "not merged") for wp in heads)
        return self.unmerged

    async def abort_merge(self, mission: str, heads: Mapping[str, str]) -> AbortedMerge | None:
        return None

    async def cleanup(self, worktrees: Sequence[Path], branches: Sequence[str], target: str) -> None:
        self.cleaned_up = True

    async def keep(self, mission: str, name: str, sha: str) -> str:
        self.kept_commits[name] = sha
        return f"refs/kitty-run/{mission}/{name}"

    async def kept(self, mission: str) -> Mapping[str, str]:
        return self.kept_commits

    async def tips(self, branches: Sequence[str]) -> Mapping[str, str]:
        return {branch: self.moved_back.get(branch, f"commit-of-{branch}") for branch in branches}

    async def lacking(self, tip: str | None, was: str) -> tuple[str, ...]:
        return (f"{was} work of others",) if tip in self.moved_back.values() else ()

    def _of(self, branch: str) -> WorkspaceContent | None:
        """The content of the workspace on that branch, which is there from the start; None for the target."""
        name = next((name for name in self._names() if branch.endswith(name)), None)
        return None if name is None else self._contents.setdefault(name, WorkspaceContent())
