"""What is wrong with a profile, and the error that carries all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from kitty_run.errors import ExitStatus, KittyRunError
from kitty_run.profile.yaml.position import Place

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, at the line where a person would fix it.

    `pointer` is a JSON pointer (empty: the whole document). `excerpt` is the source line. With the severity
    `warning` it is none that keeps the profile from being used, but something to know before; with `note`,
    what is as the profile says.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    hint: str = ""
    excerpt: str = field(default="", compare=False)
    severity: Severity = "error"

    @classmethod
    def at(
        cls, place: Place, pointer: str, message: str, hint: str = "", severity: Severity = "error"
    ) -> Problem:
        """A problem at `place`, with its source line."""
        excerpt = place.source.line(place.line)
        return cls(place.source.name, place.line, place.column, pointer, message, hint, excerpt, severity)

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: POINTER: what (hint)`, always one line; warnings and notes say that they are."""
        hint = f" ({self.hint})" if self.hint else ""
        what = self.message if self.severity == "error" else f"{self.severity}: {self.message}"
        text = f"{self.file}:{self.line}:{self.column}: {self.pointer or '/'}: {what}{hint}"
        return " ".join(text.splitlines())


class ProfileInvalid(KittyRunError):
    """The profile can't be used; `problems` are all its mistakes, sorted, each once."""

    exit_status = ExitStatus.USAGE

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = "a problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(
            "\n".join([f"{count} in the profile, nothing was started", *map(str, self.problems)])
        )
