"""The period that figures are shown for, as an address has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.core.language import N_
from portal.core.times import day_of_year, day_short

#: In the order in which they are offered. All but `own` begin and end with a month.
KINDS: Mapping[str, str] = {
    "month": N_("This month"),
    "last-month": N_("Last month"),
    "quarter": N_("This quarter"),
    "last-quarter": N_("Last quarter"),
    "year": N_("This year"),
    "last-year": N_("Last year"),
    "own": N_("From and to"),
}
USUAL = "quarter"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
#: Longer than this is no period that anybody compares.
LONGEST = timedelta(days=5 * 366)
#: No request is older.
_EARLIEST = 2000
#: Up to so many days are shown by the week, more by the month.
_WEEKLY = 100


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a zone, both included."""

    kind: str
    first: date
    last: date
    zone: ZoneInfo
    #: What was typed is no period, in the order from, to; then the usual one is shown.
    wrong: bool = False

    @property
    def begins(self) -> datetime:
        """Its first moment (UTC)."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it (UTC)."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def query(self) -> dict[str, str]:
        """As an address has it."""
        if self.kind != "own":
            return {"period": self.kind}
        return {"period": "own", "from": self.first.isoformat(), "to": self.last.isoformat()}

    def whole_months(self) -> Period:
        """The same, or the usual one where days of somebody's choice could single out what one person did."""
        return self if self.kind != "own" else _named(USUAL, self.last, self.zone)

    def parts(self) -> tuple[tuple[date, str], ...]:
        """The first day and the name of each week or month in it."""
        if (self.last - self.first).days <= _WEEKLY:
            days = [self.first]
            while (following := _next_week(days[-1])) <= self.last:
                days.append(following)
            return tuple((first, day_of_year(first)) for first in days)
        days = [self.first]
        while (following := _plus(days[-1].replace(day=1), 1)) <= self.last:
            days.append(following)
        return tuple((first, day_short(first).split(" ", 1)[1]) for first in days)


def period_of(query: Mapping[str, str], at: datetime, zone: ZoneInfo) -> Period:
    """What the address asks for; what is none of ours counts as the usual one."""
    today = at.astimezone(zone).date()
    kind = query.get("period", USUAL)
    if kind != "own":
        return _named(kind if kind in KINDS else USUAL, today, zone)
    try:
        first, last = (date.fromisoformat(query.get(name, "")) for name in ("from", "to"))
    except ValueError:
        return _wrong(today, zone)
    if first > today or first.year < _EARLIEST or not timedelta(0) <= last - first <= LONGEST:
        return _wrong(today, zone)
    return Period("own", first, min(last, today), zone)


def _wrong(today: date, zone: ZoneInfo) -> Period:
    usual = _named(USUAL, today, zone)
    return Period(usual.kind, usual.first, usual.last, zone, wrong=True)


def _named(kind: str, today: date, zone: ZoneInfo) -> Period:
    months = _MONTHS[kind.removeprefix("last-")]
    first = today.replace(day=1)
    first = first.replace(month=first.month - (first.month - 1) % months)
    if not kind.startswith("last-"):
        return Period(kind, first, today, zone)
    return Period(kind, _plus(first, -months), first - timedelta(days=1), zone)


def _plus(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _next_week(day: date) -> date:
    return day + timedelta(days=8 - day.isoweekday())


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)
