"""What an audit looks at: the query in moments, the two heads, and the requests of the population."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from reports.audits.document import RowPart

T = TypeVar("T")
#: Rows of one statement with IN: below SQLite's limit of variables, and few round trips.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Query:
    """The period by its days in a zone, both included, and what is looked at; an empty tuple is everything.

    `ends` is the first moment after it as it was fixed with the order; without it, the end of the last day.
    Units are written out: those below a chosen one are among them. A control is "framework identifier".
    """

    first_day: date
    last_day: date
    zone: str
    units: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    ends: datetime | None = None

    @property
    def begins(self) -> datetime:
        """The first moment of the period (UTC)."""
        return midnight(self.first_day, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after the period (UTC)."""
        return self.ends or midnight(self.last_day + timedelta(days=1), self.zone)

    def covers(self, at: datetime) -> bool:
        """Whether the moment is in the period."""
        return self.begins <= at < self.until


@dataclass(frozen=True, slots=True)
class Member:
    """One request of the population: the number of its row in the database, and what the report says of it."""

    request_id: int
    row: RowPart


@dataclass(frozen=True, slots=True)
class Scope:
    """What the sections are gathered for. Entries `before_size` + 1 to `after_size` are the ledger's share of it."""

    query: Query
    before_size: int
    after_size: int
    #: When the second head was signed: everything is told as it was then.
    as_of: datetime
    members: tuple[Member, ...]


def midnight(day: date, zone: str) -> datetime:
    """The first moment of the day in the zone; computed in UTC, so that a change of clocks does not shift it."""
    at = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return at.astimezone(ZoneInfo("UTC"))


def cut_at(until: datetime, last_day: date, zone: str) -> datetime | None:
    """Where the period ends before its last day does, that moment in its zone; None where the last day is whole."""
    local = until.astimezone(ZoneInfo(zone))
    return local if local.date() <= last_day else None


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The items in parts that one statement takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
