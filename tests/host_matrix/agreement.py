"""Whether the matrix, as it was seen, agrees with what the dialects claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kitty_run.host.dialect import Dialect, Refused
from kitty_run.host.dialect_files import load_all
from packaging.specifiers import SpecifierSet

from tests.host_matrix.table import ACCEPTED, DONE, NOT_STARTED, REFUSED, Row
from tests.host_matrix.versions import TOPOLOGIES, VERSIONS


def disagreements(rows: Sequence[Row], claims: Sequence[Dialect | Refused] | None = None) -> list[str]:
    """Every claim of the dialects that `rows` don't show, and every host that is missing or shows another."""
    known = load_all() if claims is None else claims
    found = [
        f"{version} is not in the table"
        for version in VERSIONS
        if version not in {one.version for one in rows}
    ]
    for row in rows:
        found += [f"{row.version}: {text}" for text in _of_row(row, {one.name: one for one in known})]
    done = {row.version for row in rows if _is_done(row)}
    newest = [one.tested.host for one in known if isinstance(one, Dialect)]
    return [
        *found,
        *(f"no mission was finished on {host}, which a dialect names" for host in newest if host not in done),
    ]


def _of_row(row: Row, known: dict[str, Dialect | Refused]) -> Iterator[str]:
    dialect = known.get(row.dialect.strip("`"))
    if dialect is None:
        yield f"there is no dialect {row.dialect}"
        return
    if not _within(dialect.contract, row.contract):
        yield f"its contract {row.contract} is outside of {dialect.name} ({dialect.contract})"
    claimed = isinstance(dialect, Dialect) and _within(dialect.tested.contract, row.contract)
    if row.doctor.startswith(ACCEPTED) is not claimed or row.doctor.startswith(REFUSED) is claimed:
        yield f"the doctor says `{row.doctor}`, {dialect.name} claims otherwise"
    if claimed and not _is_done(row):
        yield f"no mission was finished on it: {row.mission}"
    if not claimed and row.mission != NOT_STARTED:
        yield "a mission was started on it"


def _is_done(row: Row) -> bool:
    """Whether a mission was finished in each topology."""
    wanted = TOPOLOGIES.get(row.dialect.strip("`"), ())
    parts = row.mission.split("; ")
    return len(parts) == len(wanted) and all(
        part.startswith(DONE) and (topology is None or f"`{topology}`" in part)
        for part, topology in zip(parts, wanted, strict=True)
    )


def _within(text: str, contract: str) -> bool:
    return contract != "none" and SpecifierSet(text).contains(contract, prereleases=True)
