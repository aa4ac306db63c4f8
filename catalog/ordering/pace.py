"""How fast an offering is in truth: what half and nine of ten of its past requests took, in working time.

The figures are worked out every hour by a task and kept in a table, so that a page reads a handful of rows however
many requests there have been.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.model import Pace, UnitUse
from catalog.requests.model import Request
from catalog.requests.working_hours import calendar_of
from portal.core.calendar import WorkingCalendar
from portal.core.clock import now
from portal.core.language import _, ngettext
from portal.core.times import duration
from portal.identity.model import Unit
from portal.identity.unit_settings import UnitSettings
from portal.jobs import Job

#: How far back is looked, and from how many requests on the figures say something.
LOOKED_BACK = timedelta(days=180)
ENOUGH = 20
_DAY = 8 * 60
_HOUR = 60
_STEPS = (5, 10, 15, 30, 45)
#: So many working hours are still said in hours.
_MOST_HOURS = 7


@dataclass(frozen=True, slots=True)
class PaceFigures:
    """Working minutes that half, and nine of ten, of the past requests took at most."""

    half: int
    most: int

    @property
    def text(self) -> str:
        """In words: `Usually within 6 working hours; 9 of 10 within 2 working days`."""
        usual, most = spoken_minutes(self.half), spoken_minutes(self.most)
        if usual == most:
            return _("Usually within %(time)s", time=usual)
        return _("Usually within %(usual)s; 9 of 10 within %(most)s", usual=usual, most=most)


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest of the values that at least so many percent of them do not exceed (nearest rank).

    Always one of the values, so nothing is promised that never happened. Raises ValueError for none.
    """
    if not values:
        raise ValueError("There is no percentile of nothing")
    rank = max(1, math.ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


def spoken_minutes(minutes: int) -> str:
    """Working minutes in words, rounded up, so that the words never promise less time than the figure."""
    if minutes <= _STEPS[-1]:
        return duration(next(step for step in _STEPS if minutes <= step))
    hours = math.ceil(minutes / _HOUR)
    if hours <= _MOST_HOURS:
        return ngettext("%(number)s working hour", "%(number)s working hours", hours)
    days = math.ceil(minutes / _DAY)
    return ngettext("%(number)s working day", "%(number)s working days", days)


def paces(session: Session) -> dict[int, PaceFigures]:
    """The figures by offering, of those with enough requests; one statement."""
    rows = session.execute(
        select(Pace.offering_id, Pace.half_minutes, Pace.most_minutes).where(Pace.fulfilled >= ENOUGH)
    )
    return {offering: PaceFigures(half, most) for offering, half, most in rows}


def pace_of(session: Session, offering_id: int) -> PaceFigures | None:
    """The figures of one offering; None while there are too few requests."""
    row = session.execute(
        select(Pace.half_minutes, Pace.most_minutes).where(
            Pace.offering_id == offering_id, Pace.fulfilled >= ENOUGH
        )
    ).one_or_none()
    return PaceFigures(*row) if row else None


def used_most(session: Session, unit_id: int | None, most: int) -> list[int]:
    """The offerings that a unit asks for most, the first one first; one statement."""
    statement = select(UnitUse.offering_id).where(UnitUse.unit_id == unit_id)
    return list(session.scalars(statement.order_by(UnitUse.orders.desc(), UnitUse.offering_id).limit(most)))


def refresh_paces(job: Job) -> None:
    """The task that works all figures out anew."""
    with job.reading() as session:
        at = now(session)
        times = _times(session, at - LOOKED_BACK)
        uses = _uses(session, at - LOOKED_BACK)
    with job.transaction() as session:
        session.execute(delete(Pace))
        session.execute(delete(UnitUse))
        session.add_all(_pace(offering, minutes, at) for offering, minutes in times.items())
        session.add_all(
            UnitUse(unit_id=unit, offering_id=offering, orders=orders) for unit, offering, orders in uses
        )
        job.finish(session)


def _pace(offering_id: int, minutes: Sequence[int], at: datetime) -> Pace:
    return Pace(
        offering_id=offering_id,
        fulfilled=len(minutes),
        half_minutes=percentile(minutes, 50),
        most_minutes=percentile(minutes, 90),
        computed_at=at,
    )


def _times(session: Session, since: datetime) -> Mapping[int, Sequence[int]]:
    """By offering, the working minutes of each request, on the calendar of the unit that received it."""
    calendars = _Calendars(session)
    found: dict[int, list[int]] = defaultdict(list)
    rows = session.execute(
        select(
            OfferingVersion.offering_id,
            Request.offering_version_id,
            Request.unit_id,
            Request.submitted_at,
            Request.fulfilled_at,
            Request.paused_minutes,
        )
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(Request.fulfilled_at >= since)
    )
    for offering, version, unit, submitted, fulfilled, paused in rows:
        if fulfilled is not None:
            worked = calendars.of(version, unit).minutes_between(submitted, fulfilled)
            found[offering].append(max(0, worked - paused))
    return found


def _uses(session: Session, since: datetime) -> Iterable[tuple[int, int, int]]:
    rows = session.execute(
        select(Request.unit_id, OfferingVersion.offering_id, func.count())
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(Request.submitted_at >= since)
        .group_by(Request.unit_id, OfferingVersion.offering_id)
    )
    return [(unit, offering, orders) for unit, offering, orders in rows]


class _Calendars:
    """The calendar of each version in each unit, made once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._units = {
            number: (timezone, country, UnitSettings.from_json(settings))
            for number, timezone, country, settings in session.execute(
                select(Unit.id, Unit.timezone, Unit.country, Unit.settings)
            )
        }
        self._made: dict[tuple[int, int], WorkingCalendar] = {}

    def of(self, version_id: int, unit_id: int) -> WorkingCalendar:
        """How the people of the unit work, by the version's rule."""
        key = (version_id, unit_id)
        if key not in self._made:
            timezone, country, settings = self._units[unit_id]
            rule = document_of(self._session.get_one(OfferingVersion, version_id)).calendar
            self._made[key] = calendar_of(rule, timezone, country, unit=settings)
        return self._made[key]
