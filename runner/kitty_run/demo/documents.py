"""The planning documents of a mission as text: spec, plan, tasks and one prompt per work package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from kitty_run.demo.spec import MissionSpec, WorkPackageSpec


def planned(mission: str, spec: MissionSpec) -> Mapping[str, str]:
    """Path to text, as 3.x hosts want them before `finalize-tasks`."""
    base = f"kitty-specs/{mission}"
    prompts = {_prompt_path(base, wp): _planned_prompt(n, wp) for n, wp in enumerate(spec.work_packages, 1)}
    return {
        f"{base}/spec.md": _spec(spec),
        f"{base}/plan.md": _plan(spec),
        f"{base}/tasks.md": _tasks(spec),
        **prompts,
    }


def written(spec: MissionSpec) -> Mapping[str, str]:
    """Path to text, as 1.0 hosts read them: lanes are in the prompts' own frontmatter."""
    base = f"kitty-specs/{spec.slug}"
    return {
        f"{base}/spec.md": _spec(spec),
        f"{base}/plan.md": _plan(spec),
        f"{base}/tasks.md": _tasks(spec),
        f"{base}/meta.json": json.dumps({"target_branch": spec.branch}, indent=2) + "\n",
        **{_prompt_path(base, wp): _written_prompt(wp) for wp in spec.work_packages},
    }


def legacy_meta(spec: MissionSpec) -> str:
    """The `meta.json` of a mission from before mission ids; 3.x hosts want each of these keys."""
    meta = {
        "created_at": "2026-01-01T00:00:00+00:00",
        "friendly_name": spec.slug,
        "mission_slug": spec.slug,
        "mission_type": "software-dev",
        "slug": spec.slug,
        "target_branch": spec.branch,
    }
    return json.dumps(meta, indent=2) + "\n"


def _prompt_path(base: str, wp: WorkPackageSpec) -> str:
    name = "-".join("".join(c if c.isalnum() else " " for c in wp.title.lower()).split())
    return f"{base}/tasks/{wp.id}-{name}.md" if name else f"{base}/tasks/{wp.id}.md"


def _planned_prompt(number: int, wp: WorkPackageSpec) -> str:
    owned = wp.owned_files or (f"work/{wp.id.lower()}.txt",)
    return _prompt(
        wp,
        {
            "work_package_id": wp.id,
            "title": wp.title,
            "dependencies": wp.dependencies,
            "requirement_refs": (f"FR-{number:03}",),
            "owned_files": owned,
            "create_intent": owned,
            "authoritative_surface": owned[0],
            "execution_mode": wp.kind,
            "subtasks": wp.subtasks,
        },
    )


def _written_prompt(wp: WorkPackageSpec) -> str:
    return _prompt(
        wp,
        {
            "work_package_id": wp.id,
            "title": wp.title,
            "lane": "planned",
            "dependencies": wp.dependencies,
            "agent": "",
            "subtasks": wp.subtasks,
        },
    )


def _prompt(wp: WorkPackageSpec, head: Mapping[str, object]) -> str:
    lines = [f"{key}: {json.dumps(value)}" for key, value in head.items()]
    return _text(["---", *lines, "---", "", f"# {wp.id}: {wp.title}", "", wp.body.strip() or wp.title])


def _spec(spec: MissionSpec) -> str:
    rows = [f"| FR-{n:03} | {wp.title}. | Approved |" for n, wp in enumerate(spec.work_packages, 1)]
    return _text(
        [
            f"# Feature Specification: {spec.slug}",
            "",
            "## User Scenarios & Testing",
            "",
            "### User Story 1 - Use what is built (Priority: P1)",
            "",
            f"A developer checks out {spec.branch} and uses what the work packages brought.",
            "",
            "**Acceptance Scenarios**:",
            "",
            "1. **Given** the merged branch, **When** the tests run, **Then** all of them pass.",
            "",
            "## Requirements",
            "",
            "### Functional Requirements",
            "",
            "| ID | Requirement | Status |",
            "| --- | --- | --- |",
            *rows,
            "",
            "## Success Criteria",
            "",
            "- SC-001: every test of the project passes.",
        ]
    )


def _plan(spec: MissionSpec) -> str:
    parts = [f"- {wp.id}: {wp.title}" for wp in spec.work_packages]
    return _text(
        [
            f"# Implementation Plan: {spec.slug}",
            "",
            "## Summary",
            "",
            *parts,
            "",
            "## Technical Context",
            "",
            "**Language/Version**: Python 3.11",
            "**Primary Dependencies**: none but the standard library",
            "**Testing**: unittest",
        ]
    )


def _tasks(spec: MissionSpec) -> str:
    lines = [f"# Work Packages: {spec.slug}"]
    for number, wp in enumerate(spec.work_packages, 1):
        lines += [
            "",
            f"## Work Package {wp.id}: {wp.title}",
            "",
            f"**Requirements**: FR-{number:03}",
            f"**Dependencies**: {', '.join(wp.dependencies) or 'none'}",
            "",
            *[f"- [ ] {subtask} {wp.title}" for subtask in wp.subtasks],
        ]
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
