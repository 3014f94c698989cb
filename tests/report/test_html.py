"""The HTML page of a run: whole, self-contained, and safe to open."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kitty_run.engine.state.events import AttemptStarted, Entry, SetupStarted
from kitty_run.report.html import page
from kitty_run.report.liveness import Life

from tests.report.stories import STORIES, Played

Play = Callable[[str], Played]
VOID = {"meta"}


class Outline(HTMLParser):
    """Tags that open and close, links, and everything that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.open += [] if tag in VOID else [tag]
        if href := given.get("href"):
            self.links.add(href.removeprefix("#"))
        if id_ := given.get("id"):
            self.ids.append(id_)
        if tag in {"script", "link", "img", "iframe"} or "src" in given:
            self.fetched.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(world: Played, life: Life = Life.ENDED, entries: list[Entry] | None = None) -> str:
    entries = entries or world.entries()
    return page("run-1", entries, life, entries[-1].at + timedelta(seconds=1))


@pytest.mark.parametrize("name", list(STORIES))
def test_the_page_is_whole_and_fetches_nothing(name: str, play: Play) -> None:
    outline = Outline()
    text = page_of(play(name))
    outline.feed(text)
    assert outline.open == []
    assert outline.fetched == []
    assert outline.links <= set(outline.ids)
    shown = (*play(name).events(AttemptStarted), *play(name).events(SetupStarted))
    assert len(outline.ids) == len(set(outline.ids)) == len(shown)
    assert "://" not in text


def test_every_attempt_verdict_and_finding_is_shown(play: Play) -> None:
    text = re.sub(r"\s+", " ", page_of(play("rework")))
    assert "WP01 implement 2 by ada: done, 1 min 30 s, cost unknown" in text
    assert "changes requested<p>changes_requested by bob</p>" in text
    assert "<li>the empty list is not handled</li>" in text


def test_setups_are_shown_with_time_and_log_but_are_no_attempts(play: Play) -> None:
    text = re.sub(r"\s+", " ", page_of(play("set_up")))
    assert "2 attempts, " in text
    assert "WP01 setup 1: install, done, 20 s</summary>" in text
    assert "logs/WP01/setup-build-1.log" in text
    assert "WP01 teardown 1: stop, done" in text
    assert "<td>install</td>" not in text


def test_costs_are_shown_as_far_as_they_are_known_and_limits_beside_them(play: Play) -> None:
    text = re.sub(r"\s+", " ", page_of(play("own_limit")))
    assert (
        "4 attempts, 5 host calls, at least 3000 tokens, cost at least 3.75 USD, 1 attempt unknown." in text
    )
    assert "<td>WP01</td><td></td> <td>paused<p>limits.work_package.cost_usd: 2.50 of 2.00 USD used;" in text
    assert "<td>1</td><td>at least 1.25 USD, 1 attempt unknown</td>" in text
    assert "<td>bob</td><td></td><td>1</td><td>1.0 s</td><td>unknown</td>" in text
    assert "WP01 limits.work_package.cost_usd: 2.50 of 2.00 USD used</li>" in text


def test_an_attempt_without_an_end_is_open_up_to_now(play: Play) -> None:
    entries = play("rework").entries()
    cut = [entry for entry in entries if entry.at <= entries[0].at]
    text = page_of(play("rework"), Life.WORKING, cut)
    assert 'class="bar open implement"' in text
    assert "width: 100.0%" in text


def test_what_agents_say_can_not_become_markup_and_secrets_are_masked(play: Play, tmp_path: Path) -> None:
    secret = "sk-" + "ant-api03-" + "A1b2C3d4E5" * 5
    log = tmp_path / "implement-1.log"
    log.write_text(f"<script>alert(1)</script>\nkey {secret}\n", encoding="utf-8")
    entries = [
        replace(entry, event=replace(entry.event, log=log))
        if isinstance(entry.event, AttemptStarted)
        else entry
        for entry in play("smooth").entries()
    ]
    text = page_of(play("smooth"), entries=entries)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert secret not in text


def test_a_browser_may_run_and_fetch_nothing(play: Play) -> None:
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\';' in page_of(play("rework"))
