"""Working hours of people: the offering's rule, their own zone, their unit's hours and days off, and their absences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from catalog.offerings.route import CalendarRule
from portal.core import times
from portal.core.calendar import WorkingCalendar
from portal.core.clock import now
from portal.core.language import _
from portal.identity.model import Absence, Person, Unit
from portal.identity.unit_settings import UnitSettings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What a calendar rule says for "as whoever must decide lives".
THEIR_OWN = "approver"
_USUAL = CalendarRule()
_NOTHING = UnitSettings()
#: Absences that ended longer ago than this say nothing about what is due.
_PAST = timedelta(days=2)


def calendar_of(
    rule: CalendarRule,
    timezone: str,
    country: str,
    *,
    unit: UnitSettings = _NOTHING,
    away: Iterable[date] = (),
) -> WorkingCalendar:
    """The working calendar, by the offering's rule, of somebody who lives in this zone and country.

    The hours of the person's unit count where the offering keeps to the usual ones; what the offering says itself
    holds for everybody.
    """
    usual = (rule.days, rule.hours) == (_USUAL.days, _USUAL.hours)
    hours = unit.hours if usual and unit.hours else rule.hours
    start, end = (time.fromisoformat(text) for text in hours.split("-"))
    own_days = unit.days if usual else frozenset()
    return WorkingCalendar(
        timezone=timezone if rule.timezone == THEIR_OWN else rule.timezone,
        country=country if rule.country == THEIR_OWN else rule.country,
        days=own_days or frozenset(WEEKDAYS.index(day) + 1 for day in rule.days),
        start=start,
        end=end,
        days_off=unit.days_off | frozenset(away),
    )


def calendars_of(session: Session, people: Collection[int], rule: CalendarRule) -> dict[int, WorkingCalendar]:
    """Each person's working calendar by their number, as the offering's rule says. One statement.

    Where the rule says `approver`, the zone is the person's own and the public holidays are their unit's. The days
    on which they are away are days off.
    """
    living: dict[int, tuple[str, str, Mapping[str, Any]]] = {}
    away: dict[int, set[date]] = {}
    for number, timezone, country, settings, first, last in session.execute(
        select(Person.id, Person.timezone, Unit.country, Unit.settings, Absence.first_day, Absence.last_day)
        .join(Unit, Unit.id == Person.unit_id)
        .outerjoin(Absence, and_(Absence.person_id == Person.id, Absence.last_day >= absences_since(session)))
        .where(Person.id.in_(people))
    ):
        living[number] = (timezone, country, settings)
        away.setdefault(number, set()).update(days_between(first, last))
    return {
        number: calendar_of(rule, timezone, country, unit=UnitSettings.from_json(settings), away=away[number])
        for number, (timezone, country, settings) in living.items()
    }


def who_is_away(session: Session, people: Collection[int], first: datetime, last: datetime) -> str:
    """Which of these people are away at some time from `first` to `last`, in words; empty for nobody. One statement."""
    rows = session.execute(
        select(Person.name, func.max(Absence.last_day))
        .join(Absence, Absence.person_id == Person.id)
        .where(Person.id.in_(people), Absence.first_day <= last.date(), Absence.last_day >= first.date())
        .group_by(Person.id, Person.name)
        .order_by(Person.name)
    )
    return ", ".join(_("%(name)s until %(day)s", name=name, day=times.day_of_year(day)) for name, day in rows)


def absences_since(session: Session) -> date:
    """The day from which absences still matter."""
    return (now(session) - _PAST).date()


def days_between(first: date | None, last: date | None) -> Iterable[date]:
    """Every day from the first to the last; none where there is none."""
    if first is None or last is None:
        return ()
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))
