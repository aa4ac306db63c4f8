"""Deadlines of stages: working minutes on the calendars of the people who must decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.route import CalendarRule
from catalog.requests.route import RouteStage
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Person, Unit

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What a calendar rule says for "as whoever must decide lives".
THEIR_OWN = "approver"


def calendars_of(session: Session, people: Collection[int], rule: CalendarRule) -> dict[int, WorkingCalendar]:
    """Each person's working calendar by their number, as the offering's rule says. One statement.

    Where the rule says `approver`, the zone is the person's own and the public holidays are their unit's.
    """
    rows = session.execute(
        select(Person.id, Person.timezone, Unit.country)
        .join(Unit, Unit.id == Person.unit_id)
        .where(Person.id.in_(people))
    )
    return {person: calendar_of(rule, timezone, country) for person, timezone, country in rows}


def calendar_of(rule: CalendarRule, timezone: str, country: str) -> WorkingCalendar:
    """The working calendar, by the offering's rule, of somebody who lives in this zone and country."""
    start, end = (time.fromisoformat(text) for text in rule.hours.split("-"))
    return WorkingCalendar(
        timezone=timezone if rule.timezone == THEIR_OWN else rule.timezone,
        country=country if rule.country == THEIR_OWN else rule.country,
        days=frozenset(WEEKDAYS.index(day) + 1 for day in rule.days),
        start=start,
        end=end,
    )


def due_at(calendars: Iterable[WorkingCalendar], *, start: datetime, minutes: int, quorum: int) -> datetime:
    """When a stage is due (UTC): the first instant at which `quorum` of its people had `minutes` of their own work.

    A stage that Berlin or New York may decide is due by the clock of whoever is at work first.
    """
    everybody = list(calendars)
    by_calendar = {calendar: calendar.add(start, minutes) for calendar in everybody}
    ends = sorted(by_calendar[calendar] for calendar in everybody)
    return ends[min(quorum, len(ends)) - 1] if ends else start


def promised_by(session: Session, stages: Sequence[RouteStage], start: datetime) -> datetime:
    """When the last stage is due (UTC) if each one uses up its time and the next opens at that instant."""
    if not stages:
        return start
    people = {person.person_id for stage in stages for person in stage.approvers}
    calendars = calendars_of(session, people, stages[0].calendar)
    for stage in stages:
        theirs = (calendars[person.person_id] for person in stage.approvers)
        start = due_at(theirs, start=start, minutes=stage.target_minutes, quorum=stage.quorum)
    return start
