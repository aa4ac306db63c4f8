"""Days, times and numbers, in English as they always were and in German as Germans write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import times
from portal.core.language import LANGUAGES, speaking

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = datetime(1980, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  (hypothesis wants them so)
NOVEMBER = datetime(2026, 11, 27, 16, 0, 5, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 3, 15, 0, tzinfo=UTC).astimezone(BERLIN)

SAID = [
    (times.day, (date(2026, 11, 27),), "27 November 2026", "27. November 2026"),
    (times.day, (SEPTEMBER,), "3 September 2026", "3. September 2026"),
    (times.day_of_year, (date(2026, 3, 7),), "7 March", "7. März"),
    (times.weekday, (date(2026, 11, 27),), "Friday 27 November 2026", "Freitag, 27. November 2026"),
    (times.day_short, (SEPTEMBER,), "3 Sep 2026", "3. Sept. 2026"),
    (
        times.moment,
        (NOVEMBER, "Europe/Berlin"),
        "Friday 27 November 2026, 17:00 CET",
        "Freitag, 27. November 2026, 17:00 Uhr MEZ",
    ),
    (times.moment_short, (SEPTEMBER,), "3 Sep 2026, 17:00 CEST", "3. Sept. 2026, 17:00 Uhr MESZ"),
    (times.moment_short, (NOVEMBER,), "27 Nov 2026, 16:00 UTC", "27. Nov. 2026, 16:00 Uhr UTC"),
    (
        times.moment_short,
        (NOVEMBER.astimezone(ZoneInfo("America/New_York")),),
        "27 Nov 2026, 11:00 EST",
        "27. Nov. 2026, 11:00 Uhr EST",
    ),
    (times.moment_plain, (SEPTEMBER,), "3 September 2026, 17:00 CEST", "3. September 2026, 17:00 Uhr MESZ"),
    (times.stamp, (NOVEMBER,), "27 Nov 2026, 16:00:05 UTC", "27. Nov. 2026, 16:00:05 Uhr UTC"),
    (
        times.soon,
        (SEPTEMBER, NOVEMBER),
        "Thursday 3 September, 17:00",
        "Donnerstag, 3. September, 17:00 Uhr",
    ),
    (
        times.soon,
        (SEPTEMBER, datetime(2025, 12, 31, tzinfo=BERLIN)),
        "Thursday 3 September 2026, 17:00",
        "Donnerstag, 3. September 2026, 17:00 Uhr",
    ),
    (times.number, (1234567,), "1,234,567", "1.234.567"),
    (times.size, (1,), "1 byte", None),
    (times.size, (1023,), "1,023 bytes", None),
    (times.size, (1536,), "1.5 KiB", "1,5 KiB"),
    (times.size, (10 * 1024**2,), "10 MiB", "10 MiB"),
    (times.size, (5000 * 1024**3,), "5,000 GiB", "5.000 GiB"),
    (times.duration, (90,), "90 minutes", None),
    (times.duration, (240,), "4 hours", None),
    (times.duration, (1440,), "1 day", None),
]


@pytest.mark.parametrize(("say", "given_", "english", "german"), SAID)
def test_each_is_said_as_the_language_writes_it(say, given_, english, german):
    assert say(*given_) == english
    if german is not None:
        with speaking("de"):
            assert say(*given_) == german


def test_midnight_is_the_end_of_the_day_before():
    midnight = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
    assert times.deadline(midnight, "Europe/Berlin") == "the end of Friday 27 November 2026"
    assert times.deadline(midnight, BERLIN) == "the end of Friday 27 November 2026"
    assert times.deadline(midnight, "UTC") == "Friday 27 November 2026, 23:00 UTC"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-1), "in a moment"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=-3, minutes=-59), "in 3 hours"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_how_long_ago_is_said_in_whole_units(ago, words):
    assert times.relative(NOVEMBER - ago, NOVEMBER) == words


@given(
    st.datetimes(timezones=st.just(UTC), min_value=FIRST, max_value=LAST),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
def test_english_is_what_the_clock_says(at, zone):
    when = at.astimezone(ZoneInfo(zone))
    assert times.moment_short(when) == f"{when.day} {when:%b %Y, %H:%M %Z}"
    assert times.moment(when, zone) == f"{when:%A} {when.day} {when:%B} {when.year}, {when:%H:%M %Z}"


def test_every_language_has_its_patterns():
    for code in LANGUAGES:
        with speaking(code):
            assert "2026" in times.moment(NOVEMBER, "Europe/Berlin")
