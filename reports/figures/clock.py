"""Working time between many pairs of moments of one calendar: its windows are laid out once."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime

from portal.core.calendar import WorkingCalendar


class WorkingClock:
    """Gives what `WorkingCalendar.minutes_between` gives, for moments between `first` and `last`."""

    def __init__(self, calendar: WorkingCalendar, first: datetime, last: datetime) -> None:
        self._opens: list[float] = []
        self._begins: list[float] = []
        self._long: list[float] = []
        worked = 0.0
        for opens, closes in calendar.windows(first, last):
            self._opens.append(opens.timestamp())
            self._begins.append(worked)
            self._long.append((closes - opens).total_seconds())
            worked += self._long[-1]

    def minutes(self, begun: datetime, ended: datetime) -> int:
        """Whole working minutes from one to the other; zero when the second is not later."""
        return max(int((self._worked(ended) - self._worked(begun)) // 60), 0)

    def _worked(self, at: datetime) -> float:
        moment = at.timestamp()
        place = bisect_right(self._opens, moment) - 1
        if place < 0:
            return 0.0
        return self._begins[place] + min(moment - self._opens[place], self._long[place])
