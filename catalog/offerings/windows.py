"""Change windows: weekly or monthly hours in one zone, as spans of UTC, and when the next one opens.

Windows are built in local time and converted once: one whose start a change to daylight saving leaves out opens when
that hour is over, and one that the change leaves out altogether is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from portal.core.spans import Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Which of its weekday in the month; without one, each.
ORDINALS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
LAST = "last"
_WEEK = 7
#: From one nth weekday of the month to the next it is five weeks at most; one of them may be left out by the clock.
_FURTHEST_DAYS = 75


class Hours(Protocol):
    """Hours that come round: what an offering or the register of windows says."""

    @property
    def timezone(self) -> str:
        """IANA zone."""
        ...

    @property
    def times(self) -> tuple[str, ...]:
        """`tue 20:00-23:00`, `last sun 02:00-06:00`."""
        ...


def next_opening(window: Hours, moment: datetime) -> datetime:
    """The first instant (UTC) at or after the moment (aware) that lies in the window."""
    moment = moment.astimezone(UTC)
    first = moment.astimezone(ZoneInfo(window.timezone)).date() - timedelta(days=1)
    # A week and a day on either side holds at least one whole weekly window.
    for furthest in (10, _FURTHEST_DAYS):
        openings = [
            max(opens, moment)
            for offset in range(furthest)
            for opens, closes in _windows_on(window, first + timedelta(days=offset))
            if closes > moment
        ]
        if openings:
            return min(openings)
    message = f"These hours never come: {', '.join(window.times)}"
    raise ValueError(message)


def is_open(window: Hours, moment: datetime) -> bool:
    """Whether the moment (aware) lies in the window."""
    return next_opening(window, moment) == moment.astimezone(UTC)


def spans_of(window: Hours, first: datetime, last: datetime) -> Iterator[Span]:
    """The window's spans in whole seconds since 1970 (UTC), both ends included, that touch the time in between."""
    zone = ZoneInfo(window.timezone)
    day = first.astimezone(zone).date() - timedelta(days=1)
    final = last.astimezone(zone).date()
    while day <= final:
        for opens, closes in _windows_on(window, day):
            if closes > first and opens <= last:
                yield int(opens.timestamp()), int(closes.timestamp()) - 1
        day += timedelta(days=1)


def _windows_on(window: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(window.timezone)
    for times in window.times:
        weekday, hours = times.rsplit(" ", 1)
        if not _falls_on(day, weekday):
            continue
        start, end = (time.fromisoformat(part) for part in hours.split("-"))
        last = day + timedelta(days=1) if end <= start else day
        opens = datetime.combine(day, start, tzinfo=zone).astimezone(UTC)
        closes = datetime.combine(last, end, tzinfo=zone).astimezone(UTC)
        if closes > opens:
            yield opens, closes


def _falls_on(day: date, weekday: str) -> bool:
    """Whether the day is `tue`, `2nd tue` or `last tue`."""
    ordinal, _, name = weekday.rpartition(" ")
    if DAYS[day.weekday()] != name:
        return False
    if ordinal == LAST:
        return (day + timedelta(days=_WEEK)).month != day.month
    return not ordinal or ORDINALS[ordinal] == (day.day - 1) // _WEEK + 1
