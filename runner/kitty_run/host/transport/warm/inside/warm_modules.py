"""Part of the warm host: the modules that its children find loaded.

Standard library only, Python 3.9 and later.
"""

from __future__ import annotations

import gc
import importlib
import sys

UNLEARNABLE: set[str] = set()
"""Modules that could not be imported by the server: they stay with the children."""

KEPT: list[object] = []


def learn(names: list[str]) -> None:
    """Import what children imported, so that the next ones find it."""
    for name in names:
        if name not in sys.modules and name not in UNLEARNABLE:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001  # other people's code: what can't be imported stays lazy
                UNLEARNABLE.add(name)
    if names:
        settle()


def settle() -> None:
    """Keep all that is loaded for good, so that no child spends time on what it only inherited.

    What is frozen is not looked at by the collector. A cycle among it is never freed, and what the cycle
    holds neither.
    """
    keep(*sys.modules.values())
    gc.freeze()


def keep(*things: object) -> None:
    """Never let `things` go."""
    KEPT.extend([KEPT, *things])
