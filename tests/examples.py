"""How many examples a property gets: a third in `make test`, all in `make test-all`."""

from __future__ import annotations

import os

ALL = "TEST_ALL_EXAMPLES"
"""The variable that `make test-all` sets."""


def examples(count: int) -> int:
    """`count`, or a third of it."""
    return count if ALL in os.environ else count // 3
