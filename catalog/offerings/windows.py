"""Change windows: weekly hours in one zone, and when the next one opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from catalog.offerings.policy import ChangeWindow

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_opening(window: ChangeWindow, moment: datetime) -> datetime:
    """The first instant (UTC) at or after the moment (aware) that lies in the window.

    Windows are built in local time and converted once: one whose start a change to daylight saving leaves out opens
    when that hour is over.
    """
    moment = moment.astimezone(UTC)
    first = moment.astimezone(ZoneInfo(window.timezone)).date() - timedelta(days=1)
    # A week and a day on either side holds at least one whole window.
    openings = (
        max(opens, moment)
        for offset in range(10)
        for opens, closes in _windows_on(window, first + timedelta(days=offset))
        if closes > moment
    )
    return min(openings)


def is_open(window: ChangeWindow, moment: datetime) -> bool:
    """Whether the moment (aware) lies in the window."""
    return next_opening(window, moment) == moment.astimezone(UTC)


def _windows_on(window: ChangeWindow, day: date) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(window.timezone)
    for times in window.times:
        weekday, _, hours = times.partition(" ")
        if _DAYS[day.weekday()] != weekday:
            continue
        start, end = (time.fromisoformat(part) for part in hours.split("-"))
        last = day + timedelta(days=1) if end <= start else day
        opens = datetime.combine(day, start, tzinfo=zone).astimezone(UTC)
        closes = datetime.combine(last, end, tzinfo=zone).astimezone(UTC)
        if closes > opens:
            yield opens, closes
