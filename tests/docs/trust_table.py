"""The table in `docs/trust.md`: who holds which policy of which family, made from presets and families."""

from __future__ import annotations

from collections.abc import Iterator

from kitty_run.profile.policy_axes import policy_axes
from kitty_run.profile.trust.assess import assess
from kitty_run.profile.trust.families import family_called, family_names
from kitty_run.profile.yaml.position import Source
from kitty_run.profile.yaml.reader import read_document
from kitty_run.profile.yaml.tree import Entry, MapNode, find, map_entries

START = "<!-- Generated from the presets; refresh it with `pytest --snapshot-update`. -->"
END = "<!-- End of the table. -->"


def refreshed(page: str) -> str:
    """`page` with the text between the marks written anew."""
    head, found, rest = page.partition(START)
    _, ended, tail = rest.partition(END)
    assert found
    assert ended
    return f"{head}{START}\n\n{table()}\n{END}{tail}"


def table() -> str:
    """A row for each family, a column for each value that restricts something a sandbox can hold."""
    columns = list(_columns())
    head = ["family", *(f"`{axis}: {value}`" for axis, value in columns)]
    rows = [[name, *(held(name, axis, value) for axis, value in columns)] for name in family_names()]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _columns() -> Iterator[tuple[str, str]]:
    for name, axis in policy_axes().items():
        if axis.sandboxed:
            yield from ((name, value) for value in axis.preferred if value != axis.unrestricted)


def held(family: str, axis: str, value: str) -> str:
    """The degree of the unmodified preset under this value; a dash where it can't keep it."""
    agent = family_called(family).agent
    if find(agent, ("enforce", axis, value)) is None:
        return "–"
    others = {name: next(map_entries(find(agent, ("enforce", name))))[0] for name in policy_axes()}
    policy = ", ".join(f"{name}: {chosen}" for name, chosen in {**others, axis: value}.items())
    roles = f"implement: {{agents: [{family}]}}, review: {{agents: [{family}]}}"
    root, _ = read_document(Source("made.yaml", f"policy: {{{policy}}}\nroles: {{{roles}}}\nagents: {{}}\n"))
    assert root is not None
    entries = {family: Entry(agent.place, agent)}
    whole = MapNode(root.place, {**root.entries, "agents": Entry(agent.place, MapNode(agent.place, entries))})
    return assess(whole)[family].axes[axis].degree.value
