"""Where the result of an agent's run is: in its standard output, and in files of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

OutputFormat = Literal["text", "json", "jsonl"]
Totals = Literal["attempt", "session"]

NUMBERS = frozenset({"cost_usd", "input_tokens", "cached_tokens", "output_tokens"})
"""The keys whose values are one pointer or several, which are added up."""

EACH = "/*"
"""The end of a pointer `model` whose models are the names of a mapping's members."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Where models and their tokens are: JSON pointers; those of a number are added up.

    Of lines, only those in which the pattern `lines` is found count. `sum` adds cost and tokens up over all
    of them, for CLIs that report each step and no total.
    """

    format: OutputFormat = "text"
    lines: str | None = None
    sum: bool = False
    model: str | None = None
    input_tokens: tuple[str, ...] = ()
    """All tokens that were read, those from a cache too."""
    cached_tokens: tuple[str, ...] = ()
    """Those of them that came from a cache."""
    output_tokens: tuple[str, ...] = ()

    def numbers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The names of the numbers, each with its pointers."""
        yield "input_tokens", self.input_tokens
        yield "cached_tokens", self.cached_tokens
        yield "output_tokens", self.output_tokens


@dataclass(frozen=True, slots=True)
class SessionFile(Tokens):
    """Files in which an agent's CLI keeps what its output does not say.

    `files` is a pattern below `directory`, which is below the home directory, or where the environment
    variable `variable` of the agent says; `{{ session }}` in it is the session's id. The newest file counts.
    """

    directory: str = ""
    files: str = ""
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Output(Tokens):
    """Where a run's result is in an agent's standard output: JSON pointers into `format`.

    `json` is the whole output (or its last JSON value), `jsonl` the last line that has the pointer. Of
    `text`, the groups of the pattern `usage` are cost and tokens. Tokens with `totals: session` are those of
    the whole conversation, so that what its earlier attempts used is subtracted. What is not in the output is
    looked for in `session_files`.
    """

    message: str | None = None
    session: str | None = None
    cost_usd: tuple[str, ...] = ()
    usage: str | None = None
    totals: Totals = "attempt"
    session_files: tuple[SessionFile, ...] = ()

    def numbers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The names of the numbers, each with its pointers."""
        yield "cost_usd", self.cost_usd
        yield from Tokens.numbers(self)

    def reports(self, key: str) -> bool:
        """Whether `key` is found somewhere: in the output or in a session file."""
        return any(getattr(one, key, None) for one in (self, *self.session_files)) or (
            self.usage is not None and f"(?P<{key}>" in self.usage
        )
