"""Saying when one is away, and taking it back."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors, Forbidden, NotFound
from portal.core.events import publish
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.events import AbsenceAdded, AbsenceRemoved
from portal.identity.model import Absence, Person
from portal.identity.organisation import LONGEST_ABSENCE

#: Nobody needs more at once; what is over does not count.
MOST = 50


def add_absence(session: Session, actor: Actor, first: date | None, last: date | None) -> Absence:
    """Note that the actor is away from one day to another, both included, in their own zone.

    Raises FieldErrors with everything that is wrong. Days that overlap with another absence are no harm.
    """
    if actor.person_id is None:
        raise Forbidden(_("Only people are away."))
    person = session.scalars(select(Person).where(Person.id == actor.person_id).with_for_update()).one()
    today = now(session).astimezone(ZoneInfo(person.timezone)).date()
    errors = _wrong(first, last, today)
    known = session.scalars(select(Absence).where(Absence.person_id == person.id)).all()
    if not errors and any((one.first_day, one.last_day) == (first, last) for one in known):
        errors.append(FieldError("first_day", _("This absence stands there already.")))
    if not errors and sum(one.last_day >= today for one in known) >= MOST:
        errors.append(
            FieldError("first_day", _("You have %(number)s absences to come; remove one.", number=MOST))
        )
    if errors or first is None or last is None:
        raise FieldErrors(tuple(errors))
    absence = Absence(person_id=person.id, first_day=first, last_day=last, imported=False)
    session.add(absence)
    session.flush()
    publish(session, AbsenceAdded(actor, absence.id, first, last))
    return absence


def remove_absence(session: Session, actor: Actor, absence_id: int) -> None:
    """Take an absence back. Raises NotFound for another's and for one that was imported."""
    absence = session.get(Absence, absence_id)
    if absence is None or absence.person_id != actor.person_id or absence.imported:
        raise NotFound(_("There is no such absence that you could remove."))
    session.delete(absence)
    publish(session, AbsenceRemoved(actor, absence_id, absence.first_day, absence.last_day))


def _wrong(first: date | None, last: date | None, today: date) -> list[FieldError]:
    errors = []
    if first is None:
        errors.append(FieldError("first_day", _("Enter the first day.")))
    if last is None:
        errors.append(FieldError("last_day", _("Enter the last day.")))
    elif first is not None and last < first:
        errors.append(FieldError("last_day", _("The last day is not before the first.")))
    elif last < today:
        errors.append(FieldError("last_day", _("These days are over already.")))
    elif first is not None and last - first > LONGEST_ABSENCE:
        errors.append(FieldError("last_day", _("An absence lasts two years at most.")))
    return errors
