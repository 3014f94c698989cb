"""Prices of models: the shipped ones, and those of a profile."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kitty_run.profile.load import load
from kitty_run.profile.prices import Price, price_of, shipped
from kitty_run.resources import profiles_dir

OWN = {"GPT-5-Codex": Price(1.0, 2.0), "acme/house-model": Price(3.0, 4.0)}


@pytest.mark.parametrize(
    "name",
    [
        "gpt-5",
        "GPT-5",
        "openai/gpt-5",
        "gpt-5-2026-10-01",
        "openrouter/openai/gpt-5-20261001",
        "gpt-5-latest",
    ],
)
def test_providers_and_releases_do_not_matter(name: str) -> None:
    assert price_of(name, {}) == shipped()["gpt-5"]


def test_a_profile_s_price_takes_the_place_of_the_shipped_one() -> None:
    assert price_of("gpt-5-codex", OWN) == Price(1.0, 2.0)
    assert price_of("acme/house-model", OWN) == Price(3.0, 4.0)
    assert price_of("gpt-5", OWN) == shipped()["gpt-5"]


@pytest.mark.parametrize("name", ["gpt-5-nothing", "house-model", "gpt", "", "5"])
def test_nobody_guesses_a_price(name: str) -> None:
    assert price_of(name, OWN) is None


def test_cached_tokens_are_some_of_those_that_were_read() -> None:
    price = Price(10.0, 100.0, cached_input=1.0)
    assert price.of(1_000_000, 0, 0) == 10.0
    assert price.of(1_000_000, 400_000, 10_000) == pytest.approx(6.0 + 0.4 + 1.0)
    assert price.of(1_000_000, 9_000_000, 0) == pytest.approx(1.0)
    assert Price(10.0, 100.0).of(1_000_000, 400_000, 0) == 10.0


def test_every_shipped_price_has_a_source_and_a_date() -> None:
    for group in yaml.safe_load((profiles_dir() / "prices" / "models.yaml").read_text(encoding="utf-8")):
        assert group["source"].startswith("https://")
        assert group["date"].isoformat() >= "2026-01-01"
        for name, price in group["models"].items():
            assert name == name.lower()
            assert 0 <= price.get("cached_input", 0) <= price["input"] <= price["output"]
            assert price.keys() <= {"input", "cached_input", "output"}


def test_a_profile_gives_prices(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    text = "version: 1\nextends: [preset:codex]\nprices:\n  gpt-5: {input: 1, cached_input: 0.5, output: 2}\n"
    path.write_text(text, encoding="utf-8")
    assert load(path).profile.prices == {"gpt-5": Price(1.0, 2.0, 0.5)}
