"""Reading when people are away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.model import Absence, Person

#: Absences that ended longer ago than this are not shown.
_SHOWN = timedelta(days=30)
#: No zone is further than this from UTC.
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """Days on which somebody is away. Imported ones are changed only where they come from."""

    id: int
    first_day: date
    last_day: date
    imported: bool


def absences_of(session: Session, actor: Actor) -> Sequence[AbsenceLine]:
    """The actor's absences from a month ago on, in order. One statement."""
    since = (now(session) - _SHOWN).date()
    rows = session.execute(
        select(Absence.id, Absence.first_day, Absence.last_day, Absence.imported)
        .where(Absence.person_id == actor.person_id, Absence.last_day >= since)
        .order_by(Absence.first_day, Absence.last_day, Absence.id)
    )
    return [AbsenceLine(*row) for row in rows]


def away_today(session: Session, people: Collection[int]) -> dict[int, date]:
    """Those of these people who are away today in their own zone, and until which day. One statement."""
    at = now(session)
    rows = session.execute(
        select(Person.id, Person.timezone, Absence.first_day, Absence.last_day)
        .join(Absence, Absence.person_id == Person.id)
        .where(
            Person.id.in_(people),
            Absence.first_day <= (at + _A_DAY).date(),
            Absence.last_day >= (at - _A_DAY).date(),
        )
    )
    away: dict[int, date] = {}
    for number, timezone, first, last in rows:
        if first <= at.astimezone(ZoneInfo(timezone)).date() <= last:
            away[number] = max(last, away.get(number, last))
    return away
