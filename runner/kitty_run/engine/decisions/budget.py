"""What a run and its work packages may use: which limits are reached, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kitty_run.engine.state.usage import Usage
from kitty_run.profile.durations import spoken
from kitty_run.profile.model import Allowance

KEYS = ("cost_usd", "tokens", "wall_clock", "attempts")


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is used up: `used` of `allowed`, in US dollars, tokens, seconds or attempts.

    `key` is the limit's name in the profile, such as `limits.cost_usd`; `wp` the work package that it holds
    for, None where that is the run.
    """

    key: str
    used: float
    allowed: float
    wp: str | None = None

    def __str__(self) -> str:
        """`limits.cost_usd: 20.40 of 20.00 USD used`."""
        match self.key.rpartition(".")[2]:
            case "cost_usd":
                amounts = f"{_dollars(self.used)} of {_dollars(self.allowed)} USD"
            case "wall_clock":
                amounts = f"{spoken(self.used)} of {spoken(self.allowed)}"
            case unit:
                amounts = f"{self.used:.0f} of {self.allowed:.0f} {unit}"
        return f"{self.key}: {amounts} used"


def reached(limits: Allowance, usage: Usage, seconds: float, wp: str | None = None) -> tuple[Reached, ...]:
    """The limits that `usage` and `seconds` have reached: the run's, or those of `wp` alone."""
    prefix = "limits" if wp is None else "limits.work_package"
    used = {
        "cost_usd": usage.cost.known_usd,
        "tokens": usage.tokens,
        "wall_clock": seconds,
        "attempts": usage.attempts,
    }
    allowed = {key: getattr(limits, key) for key in KEYS}
    return tuple(
        Reached(f"{prefix}.{key}", used[key], most, wp)
        for key, most in allowed.items()
        if most is not None and used[key] >= most
    )


def named(found: Iterable[Reached]) -> str:
    """The keys of the limits, each once."""
    return " and ".join(dict.fromkeys(one.key for one in found))


def account(found: tuple[Reached, ...], usage: Usage, left: Mapping[str, str]) -> str:
    """What a run that limits have stopped tells at its end: which, what it cost, what is left, what to do.

    `left` are the lanes of the work packages that are not done.
    """
    return "\n".join(_account(found, usage, left))


def _account(found: tuple[Reached, ...], usage: Usage, left: Mapping[str, str]) -> Iterator[str]:
    for one in found:
        yield f"{one.wp}: {one}" if one.wp else str(one)
    attempts = f"{usage.attempts} attempt{'' if usage.attempts == 1 else 's'}"
    yield f"spent so far: {attempts}, cost {usage.cost}"
    yield "left: " + (", ".join(f"{wp} ({lane})" for wp, lane in left.items()) or "no work package")
    yield f"Raise {named(found)} and run the same command again: it goes on from here."


def _dollars(amount: float) -> str:
    """Cents, and more digits where cents would make it nothing."""
    return f"{amount:.2f}" if amount >= 0.1 or amount == 0 else f"{amount:.4f}"
