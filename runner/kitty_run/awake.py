"""Keeping the machine from falling asleep while agents work. Without a means to do it, nothing differs.

Whether a machine may sleep is its user's choice and not a profile's, which a team shares: the environment
variable `KITTY_RUN_KEEP_AWAKE=no` switches it off.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

VARIABLE = "KITTY_RUN_KEEP_AWAKE"
MEANS = (
    ("systemd-inhibit", "--what=sleep:idle", "--mode=block", "--who=kitty-run", "--why=agents are at work"),
    ("systemd-inhibit", "--what=idle", "--mode=block", "--who=kitty-run", "--why=agents are at work"),
    ("caffeinate", "-i"),
)
"""Commands that keep the machine awake for as long as the command behind them runs, the best first."""
UNTIL_CLOSED = "cat"
"""A command that ends when its standard input is closed: by the runner, or by its end, however it comes."""
PATIENCE = 5.0
"""Seconds to wait for a means to say whether it works, and for its end."""


def allowed(environment: Mapping[str, str]) -> bool:
    """Whether the user wants the machine kept awake."""
    return environment.get(VARIABLE, "").lower() not in {"no", "0", "off", "false"}


def means(environment: Mapping[str, str]) -> tuple[str, ...] | str:
    """The command by which this machine can be kept awake, or why there is none. Blocks."""
    why = f"there is none of {', '.join(dict.fromkeys(one[0] for one in MEANS))}"
    for one in MEANS:
        if (program := shutil.which(one[0], path=environment.get("PATH", ""))) is None:
            continue
        command = (program, *one[1:])
        try:
            done = subprocess.run(
                (*command, UNTIL_CLOSED),
                **_quiet(environment),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"{one[0]} does not: {error}"
            continue
        if done.returncode == 0:
            return command
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = f"{one[0]} does not: {said[-1] if said else f'exit status {done.returncode}'}"
    return why


class Awake:
    """Keeps the machine awake while something is at work; `environment` is the user's."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._at_work = 0
        self._means: tuple[str, ...] | str | None = None
        self._over = asyncio.Event()
        self._begun = set[asyncio.Task[None]]()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the machine does not fall asleep, if it can be kept from that. Never fails, and waits for
        nothing."""
        self._at_work += 1
        if self._at_work == 1 and allowed(self._environment):
            self._over = asyncio.Event()
            holding = asyncio.create_task(self._hold(self._over))
            self._begun.add(holding)
            holding.add_done_callback(self._begun.discard)
        try:
            yield
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._over.set()

    async def close(self) -> None:
        """Wait until nothing keeps the machine awake any more."""
        self._over.set()
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def _hold(self, over: asyncio.Event) -> None:
        if self._means is None:
            self._means = await asyncio.to_thread(means, self._environment)
        if isinstance(self._means, str) or over.is_set():
            return
        command = (*self._means, UNTIL_CLOSED)
        with contextlib.suppress(OSError):
            holder = await asyncio.create_subprocess_exec(
                *command,
                **_quiet(self._environment),
                stdin=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await over.wait()
            if holder.stdin is not None:
                holder.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(holder.wait(), PATIENCE)


def _quiet(environment: Mapping[str, str]) -> dict[str, Any]:
    """In a session of its own: ^C is for the runner."""
    return {"env": dict(environment), "stdout": subprocess.DEVNULL, "start_new_session": True}
