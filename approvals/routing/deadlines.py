"""Deadlines of stages: working minutes on the calendars of the people who must decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from catalog.offerings.route import CalendarRule
from catalog.requests.route import RouteApprover, RouteStage
from catalog.requests.working_hours import calendar_of, calendars_of
from portal.core.calendar import HORIZON_DAYS, WorkingCalendar

__all__ = ["calendar_of", "calendars_for", "calendars_of", "due_at", "promised_by"]

#: Whoever is on duty works while they are.
_ON_DUTY = WorkingCalendar(
    timezone="UTC", country="", days=frozenset(range(1, 8)), start=time(0), end=time(0), days_off=frozenset()
)


def due_at(calendars: Iterable[WorkingCalendar], *, start: datetime, minutes: int, quorum: int) -> datetime:
    """When a stage is due (UTC): the first instant at which `quorum` of its people had `minutes` of their own work.

    A stage that Berlin or New York may decide is due by the clock of whoever is at work first.
    """
    everybody = list(calendars)
    by_calendar = {calendar: _worked(calendar, start, minutes) for calendar in set(everybody)}
    ends = sorted(by_calendar[calendar] for calendar in everybody)
    return ends[min(quorum, len(ends)) - 1] if ends else start


@lru_cache(maxsize=4096)
def _worked(calendar: WorkingCalendar, start: datetime, minutes: int) -> datetime:
    """When they had so much of their own work. Whoever is away for more than a year counts as last, not as an error."""
    try:
        return calendar.add(start, minutes)
    except ValueError:
        return start + timedelta(days=HORIZON_DAYS)


def calendars_for(
    session: Session, people: Sequence[RouteApprover], rule: CalendarRule
) -> list[WorkingCalendar]:
    """How each of these people works, in their order: by the clock where they are asked because they are on duty."""
    known = calendars_of(session, {person.person_id for person in people}, rule)
    return [calendar_for(person.rule, known[person.person_id]) for person in people]


def calendar_for(rule: str, calendar: WorkingCalendar) -> WorkingCalendar:
    """How somebody who is asked by this rule works, who else works by this calendar."""
    return _ON_DUTY if rule.startswith("rota:") else calendar


def promised_by(session: Session, stages: Sequence[RouteStage], start: datetime) -> datetime:
    """When the last stage is due (UTC) if each one uses up its time and the next opens at that instant.

    The parts of a stage are asked at the same time, so it is due when the last of them is.
    """
    if not stages:
        return start
    people = {person.person_id for stage in stages for person in stage.approvers}
    calendars = calendars_of(session, people, stages[0].calendar)
    return due_in_turn(
        (
            (
                stage.position,
                [calendar_for(person.rule, calendars[person.person_id]) for person in stage.called],
                stage.target_minutes,
                stage.quorum,
            )
            for stage in stages
        ),
        start,
    )


def due_in_turn(
    stages: Iterable[tuple[int, Iterable[WorkingCalendar], int, int]], start: datetime
) -> datetime:
    """When the last of these stages is due: each has its position, its people's calendars, minutes and quorum."""
    position, begun, due = 0, start, start
    for at, calendars, minutes, quorum in stages:
        if at != position:
            position, begun = at, due
        due = max(due, due_at(calendars, start=begun, minutes=minutes, quorum=quorum))
    return due
