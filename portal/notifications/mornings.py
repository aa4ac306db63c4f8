"""When a person reads their mail of the day: at eight in the morning of their working days."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendar import WorkingCalendar
from portal.identity.model import Absence, Person, Unit
from portal.identity.unit_settings import UnitSettings

_EIGHT = time(8)
_USUAL_DAYS = frozenset({1, 2, 3, 4, 5})


def next_digest(session: Session, person: Person, at: datetime) -> datetime | None:
    """The next eight o'clock (UTC) of a day on which the person works; None where none is near.

    Two statements.
    """
    unit = session.get_one(Unit, person.unit_id)
    settings = UnitSettings.from_json(unit.settings)
    rows = session.execute(
        select(Absence.first_day, Absence.last_day).where(
            Absence.person_id == person.id, Absence.last_day >= (at - timedelta(days=1)).date()
        )
    )
    away = {
        first + timedelta(days=offset) for first, last in rows for offset in range((last - first).days + 1)
    }
    calendar = WorkingCalendar(
        timezone=person.timezone,
        days=settings.days or _USUAL_DAYS,
        start=_EIGHT,
        end=time(_EIGHT.hour, 1),
        country=unit.country,
        days_off=settings.days_off | away,
    )
    try:
        return calendar.add(at, 0)
    except ValueError:
        return None
