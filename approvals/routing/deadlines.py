"""Deadlines of stages: working minutes on the calendars of the people who must decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from catalog.requests.route import RouteStage
from catalog.requests.working_hours import calendar_of, calendars_of
from portal.core.calendar import HORIZON_DAYS, WorkingCalendar

__all__ = ["calendar_of", "calendars_of", "due_at", "promised_by"]


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
