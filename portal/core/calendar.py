"""Working calendars: hours of work in local time, days off, and arithmetic in UTC.

Windows are built in local time, converted once, and added and subtracted only in UTC, so that a change to
daylight saving neither loses nor invents an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

#: A calendar with no working time for this long is a mistake, not a long weekend.
HORIZON_DAYS = 400
ALL_DAY = (time(0), time(0))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When people work.

    `days` are ISO weekdays (Monday is 1); a window that ends at or before its start runs over midnight; `country` is ISO 3166 with an optional subdivision ("DE-BY"), empty for no holidays.
    """

    timezone: str = "UTC"
    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    start: time = time(9)
    end: time = time(17)
    country: str = ""
    days_off: frozenset[date] = frozenset()

    def add(self, moment: datetime, minutes: int) -> datetime:
        """The UTC instant when `minutes` of working time have passed since `moment` (aware).

        Zero minutes gives the first working instant at or after the moment. Raises ValueError when the
        calendar has no working time within 400 days.
        """
        left = timedelta(minutes=minutes)
        for opens, closes in self._windows(moment):
            begin = max(opens, moment.astimezone(UTC))
            room = closes - begin
            if room >= left:
                return begin + left
            left -= room
        message = "This calendar has no working hours in the coming year"
        raise ValueError(message)

    def minutes_between(self, first: datetime, last: datetime) -> int:
        """Whole minutes of working time from `first` to `last`; zero when `last` is not later."""
        total = timedelta()
        first, last = first.astimezone(UTC), last.astimezone(UTC)
        for opens, closes in self._windows(first, until=last):
            begin, finish = max(opens, first), min(closes, last)
            if finish > begin:
                total += finish - begin
        return int(total.total_seconds() // 60)

    def is_working(self, moment: datetime) -> bool:
        """Whether people work at this instant."""
        moment = moment.astimezone(UTC)
        return any(opens <= moment < closes for opens, closes in self._windows(moment, until=moment))

    def windows(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every window of work (UTC) from the one that ends after `first` to those of the day of `last`, in order."""
        return self._windows(first.astimezone(UTC), until=last)

    def _windows(
        self, moment: datetime, until: datetime | None = None
    ) -> Iterator[tuple[datetime, datetime]]:
        """Windows of work in UTC that end after `moment`, in order."""
        zone = ZoneInfo(self.timezone)
        day = moment.astimezone(zone).date() - timedelta(days=1)
        last = until.astimezone(zone).date() if until else day + timedelta(days=HORIZON_DAYS)
        reached = datetime.min.replace(tzinfo=UTC)
        while day <= last:
            if self._works_on(day):
                opens, closes = self._window(day, zone)
                opens = max(opens, reached)
                if closes > opens:
                    reached = closes
                    if closes > moment.astimezone(UTC):
                        yield opens, closes
            day += timedelta(days=1)

    def _window(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        over_midnight = self.end <= self.start
        closing_day = day + timedelta(days=1) if over_midnight else day
        opens = datetime.combine(day, self.start, tzinfo=zone).astimezone(UTC)
        closes = datetime.combine(closing_day, self.end, tzinfo=zone).astimezone(UTC)
        return opens, closes

    def _works_on(self, day: date) -> bool:
        if day.isoweekday() not in self.days or day in self.days_off:
            return False
        return not self.country or day not in _public_holidays(self.country, day.year)


@lru_cache(maxsize=256)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    code, _, subdivision = country.partition("-")
    return frozenset(holidays.country_holidays(code, subdiv=subdivision or None, years=year))
