"""How these tests wait for what a workspace does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")
BRANCH = "m-WP01"
"""The branch of the work package."""


def run(call: Coroutine[object, object, T]) -> T:
    return asyncio.run(call)
