"""What an attempt used and cost, from what its agent reported: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kitty_run.agents.model import ModelUsage, Outcome
from kitty_run.engine.state.events import CostSource
from kitty_run.profile.output import Totals
from kitty_run.profile.prices import Price, price_of


@dataclass(frozen=True, slots=True)
class Used:
    """What one attempt used by itself; None is unknown. `source` says who says what it cost."""

    models: tuple[ModelUsage, ...]
    cost_usd: float | None
    source: CostSource | None


def used(outcome: Outcome, totals: Totals, before: Iterable[ModelUsage], prices: Mapping[str, Price]) -> Used:
    """What an attempt used that came to `outcome`.

    With `totals: session` its tokens are those of the whole conversation: `before`, what earlier attempts of
    it used, is subtracted. Where the agent reports no cost, it is computed by `prices`, if all of its tokens
    and the prices of all of its models are known.
    """
    models = _own(outcome.models, tuple(before)) if totals == "session" else outcome.models
    if outcome.cost_usd is not None:
        return Used(models, outcome.cost_usd, "agent")
    cost = computed(models, prices)
    return Used(models, cost, None if cost is None else "prices")


def computed(models: tuple[ModelUsage, ...], prices: Mapping[str, Price]) -> float | None:
    """What `models` cost in US dollars; None where a price or a number of tokens is unknown."""
    costs = [_cost(one, prices) for one in models]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def _cost(one: ModelUsage, prices: Mapping[str, Price]) -> float | None:
    if one.model is None or one.input_tokens is None or one.output_tokens is None:
        return None
    price = price_of(one.model, prices)
    return None if price is None else price.of(one.input_tokens, one.cached_tokens or 0, one.output_tokens)


def _own(models: tuple[ModelUsage, ...], before: tuple[ModelUsage, ...]) -> tuple[ModelUsage, ...]:
    """`models` without what was used of each `before`."""
    return tuple(_without(one, [past for past in before if past.model == one.model]) for one in models)


def _without(one: ModelUsage, earlier: list[ModelUsage]) -> ModelUsage:
    return replace(
        one,
        input_tokens=_less(one.input_tokens, [past.input_tokens for past in earlier]),
        cached_tokens=_less(one.cached_tokens, [past.cached_tokens for past in earlier]),
        output_tokens=_less(one.output_tokens, [past.output_tokens for past in earlier]),
    )


def _less(total: int | None, earlier: list[int | None]) -> int | None:
    return None if total is None else max(total - sum(number or 0 for number in earlier), 0)
