"""When a limit ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kitty_run.agents.results.reset_times import FARTHEST, parse
from kitty_run.agents.results.time_zones import LOCAL

from tests.agents.making import NOW

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795348800", datetime.fromtimestamp(1795348800, UTC)),
        ("1795348800123", datetime.fromtimestamp(1795348800.123, UTC)),
        ("30", NOW + timedelta(seconds=30)),
        ("1.5", NOW + timedelta(seconds=1.5)),
        ("in 2h 5m", NOW + timedelta(hours=2, minutes=5)),
        ("about 1 day, 2 hours and 1 min", NOW + timedelta(days=1, hours=2, minutes=1)),
        ("2h5m", NOW + timedelta(hours=2, minutes=5)),
        ("Please try again in 2s", NOW + timedelta(seconds=2)),
        ("1m2.5s", NOW + timedelta(seconds=62.5)),
        ("in less than a minute", NOW + timedelta(minutes=1)),
        ("resets in 4h 12m", NOW + timedelta(hours=4, minutes=12)),
        ("2 weeks", NOW + timedelta(weeks=2)),
        ("45 seconds", NOW + timedelta(seconds=45)),
        ("1 day and 2 hours", NOW + timedelta(days=1, hours=2)),
        ("6m0s", NOW + timedelta(minutes=6)),
        ("850ms", NOW + timedelta(milliseconds=850)),
        ("2026-11-22T15:00:00Z", datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("2026-11-22T15:00:00.500+02:00", datetime(2026, 11, 22, 13, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-12-01 at 00:00 UTC", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-11-22 15:00", berlin(22, 15)),
        ("Sun, 22 Nov 2026 15:00:00 GMT", datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("3pm (Europe/Berlin)", berlin(22, 15)),
        ("3pm", berlin(22, 15)),
        ("3pm Europe/Berlin", berlin(22, 15)),
        ("3 pm CET", berlin(22, 15)),
        ("9am PST", datetime(2026, 11, 22, 17, tzinfo=UTC)),
        ("9am (PT)", datetime(2026, 11, 22, 17, tzinfo=UTC)),
        ("15:00 UTC", datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("15:00:30 UTC+2", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ("15:00 -05:00", datetime(2026, 11, 22, 20, tzinfo=UTC)),
        ("tomorrow at 3pm", berlin(23, 15)),
        ("25 Nov at 13:30", berlin(25, 13, 30)),
        ("13:30 Nov 25", berlin(25, 13, 30)),
        ("2026-11-23 3:00 PM", berlin(23, 15)),
        ("Nov 20, 3pm", berlin(20, 15)),  # over: the engine's backoff counts then
        ("2:16pm (UTC)", datetime(2026, 11, 22, 14, 16, tzinfo=UTC)),
        ("2:19 PM.", berlin(22, 14, 19)),
        ("15:30", berlin(22, 15, 30)),
        ("9am", berlin(23, 9)),
        ("11:55am", berlin(22, 11, 55)),
        ("12am", berlin(23, 0)),
        ("12:30pm", berlin(22, 12, 30)),
        ("9am (America/New_York)", datetime(2026, 11, 22, 9, tzinfo=ZoneInfo("America/New_York"))),
        ("at Nov 25th, 2026 1:30 PM", berlin(25, 13, 30)),
        ("Nov 25th, 2026 1:30 PM.", berlin(25, 13, 30)),
        ("Nov 25 at 3pm (Europe/Berlin)", berlin(25, 15)),
        ("December 1, 9:05am (UTC)", datetime(2026, 12, 1, 9, 5, tzinfo=UTC)),
        ("Jan 2, 8am", berlin(2, 8, month=1, year=2027)),
        ("Tue 10am", berlin(24, 10)),
        ("Sunday at 10am", berlin(29, 10)),
        ("Sunday at 4pm", berlin(22, 16)),
    ],
)
def test_a_time_is_understood(text: str, moment: datetime) -> None:
    assert parse(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "tomorrow",
        "3pm (Mars/Olympus)",
        "3pm XYZ",
        "13pm",
        "11/12/2026 1:30 PM",
        "in 1:30:00",
        "2099-01-01T00:00:00Z",
        "4070908800",
        "in 20000 days",
        "Feb 30, 2027 3pm",
        "25:99",
        "2026-13-40",
        "99999999999999999999",
        "9" * 400,
        "2 apples",
        "5 PM 2h extra words 3",
    ],
)
def test_what_names_no_time_is_none(text: str) -> None:
    found = parse(text, NOW)
    assert found is None or abs(found - NOW) <= FARTHEST
    if text != "5 PM 2h extra words 3":
        assert found is None


def test_clock_times_keep_their_hour_across_a_change_of_clocks() -> None:
    before_change = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN)
    assert parse("9am", before_change) == datetime(2026, 10, 25, 9, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "now", "moment"),
    [
        # The hour between two and three comes twice on 25 October, first in summer time.
        ("2:30am", datetime(2026, 10, 24, 20, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2:30am", datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2:30am", datetime(2026, 10, 25, 1, 50, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
        # On 29 March it does not come at all.
        ("2:30am", datetime(2026, 3, 28, 20, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("in 2h", datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),
        ("7200", datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_change_of_clocks_is_heeded(text: str, now: datetime, moment: datetime) -> None:
    found = parse(text, now.astimezone(BERLIN))
    assert found is not None
    assert found.astimezone(UTC) == moment


def test_the_zone_of_this_machine_knows_its_changes_of_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        now = datetime(2026, 10, 24, 18, tzinfo=UTC).astimezone(LOCAL)
        assert (now.hour, now.tzname()) == (20, "CEST")
        found = parse("9am", now)
        assert found is not None
        assert found.astimezone(UTC) == datetime(2026, 10, 25, 8, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.heavy
@given(st.text(max_size=60))
def test_any_text_gives_an_aware_time_or_none(text: str) -> None:
    found = parse(text, NOW)
    assert found is None or (found.tzinfo is not None and abs(found - NOW) <= FARTHEST)
