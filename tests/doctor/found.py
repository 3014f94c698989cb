"""What the doctor found, as a test looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kitty_run.doctor.finding import Finding


def collected(findings: AsyncIterator[Finding]) -> list[Finding]:
    """All findings of one part of an examination."""

    async def collect() -> list[Finding]:
        return [finding async for finding in findings]

    return asyncio.run(collect())


def of(findings: list[Finding], subject: str) -> Finding:
    """The one finding about `subject`."""
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found
