"""What the mission's plan says in one place and lacks in another: dependencies, and acceptance criteria.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from kitty_run.host.criteria import Criterion
from kitty_run.host.model import WorkPackage

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*)$")
_SECTION = re.compile(r"(?:work[ \t]+package[ \t]+)?(WP\d{2,})\b", re.IGNORECASE)
_LABEL = re.compile(r"[\s>*_-]*(?:dependencies|depends?[ \t]+on)\b[*_\s]*:?[*_\s]*", re.IGNORECASE)
_ITEM = re.compile(r"[\s>*_`+-]*(WP\d{2,})\b[*_`]*(?:[ \t]*\([^)]*\))?[ \t]*(?:[,;&/]|and\b)?[ \t]*")


def named_dependencies(text: str) -> Mapping[str, tuple[str, ...]]:
    """For each work package of `tasks.md` what it says that it depends on.

    Only explicit forms count, as hosts read them: `Dependencies: WP01, WP02`, `Depends on WP01` at the
    beginning of a line, and a list below a heading `Dependencies`; all within the work package's section.
    """
    found: dict[str, dict[str, None]] = {}
    wp, listing = "", False
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            level, title = len(heading[1]), heading[2]
            section = _SECTION.match(title) if level in {2, 3} else None
            listing = section is None and _LABEL.fullmatch(f"{title} ") is not None
            if section is not None:
                wp = section[1].upper()
            elif level <= 2 and not listing:
                wp = ""
        elif wp and (label := _LABEL.match(line)):
            found.setdefault(wp, {}).update(dict.fromkeys(_listed(line[label.end() :])))
        elif wp and listing and line.strip():
            found.setdefault(wp, {}).update(dict.fromkeys(_listed(line)))
    return {name: tuple(one for one in needs if one != name) for name, needs in found.items()}


def _listed(text: str) -> Iterator[str]:
    """The work packages that `text` begins with."""
    while item := _ITEM.match(text):
        yield item[1]
        text = text[item.end() :]


def lost_dependencies(text: str, packages: Sequence[WorkPackage]) -> Iterator[str]:
    """What is said of dependencies that `tasks.md` names and the host doesn't know of."""
    named, known = named_dependencies(text), {package.id for package in packages}
    for package in packages:
        lost = [one for one in named.get(package.id, ()) if one not in package.dependencies and one in known]
        if lost and package.lane.startable:
            listed = ", ".join(lost)
            yield (
                f"tasks.md says that {package.id} depends on {listed}, which `dependencies` in its prompt "
                f"file does not name: it would be started without that work. Name {listed} there, finalize "
                "the tasks again where the host does that, and commit; or correct tasks.md"
            )


def left_to_people(criteria: Sequence[Criterion], wanted: Collection[str]) -> Iterator[tuple[Criterion, str]]:
    """The open criteria that no reviewer of this run settles, each with why; `wanted` are those that work
    packages are to meet."""
    for one in criteria:
        if one.open and one.personal:
            yield one, "wants a person's own look"
        elif one.open and one.id not in wanted:
            yield (
                one,
                "is named by no work package's `requirement_refs`, so that no reviewer is asked about it",
            )
