"""What a host wants before it accepts a mission: each thing as the host names it, and who settles it, how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kitty_run.host.model import HostRefused
from kitty_run.host.template import Values, fill

MOST = 40
"""Things of one kind that are named."""
LENGTH = 2000
"""Characters of one thing that are shown."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a generation names what is outstanding (data of the dialect).

    `outstanding` is the field of a refusal's data that has it: lists by kind. `remedies` say by kind who
    settles it, and how; templates over `mission` and `actor`.
    """

    outstanding: str
    remedies: Mapping[str, str]

    def explained(self, refused: HostRefused, values: Values, by_hand: Sequence[str]) -> HostRefused:
        """The same refusal, with all that is outstanding in its text, and the commands `by_hand`."""
        kinds = refused.data.get(self.outstanding)
        found = dict(kinds) if isinstance(kinds, Mapping) else {}
        listed = {key: refused.data[key] for key in self.remedies if key in refused.data}
        lines = [
            line for kind, things in {**listed, **found}.items() for line in self._lines(kind, things, values)
        ]
        commands = [f"    {command}" for command in by_hand[:MOST]]
        return refused.because("\n".join([str(refused), *lines, *commands])) if lines else refused

    def _lines(self, kind: str, things: object, values: Values) -> Iterator[str]:
        named = [str(one) for one in things] if isinstance(things, list) else [str(things)]
        for one in named[:MOST]:
            yield f"  {kind}: " + one[:LENGTH].strip().replace("\n", "\n    ")
        if len(named) > MOST:
            yield f"  {kind}: and {len(named) - MOST} more"
        if kind in self.remedies and named:
            yield f"    settled by {fill(self.remedies[kind], values)}"
