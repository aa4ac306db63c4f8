"""Telling a person that their account audits, what it may see and when, and that this has ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.identity.auditors.reading import zone_of
from portal.identity.events import MandateChanged, MandateEnded, MandateGiven
from portal.identity.model import Person, Unit
from portal.notifications.write import notify

PATH = "/ledger"


def on_mandate_given(session: Session, event: MandateGiven) -> None:
    """Whoever audits hears from when until when, and what."""
    _tell(session, event, changed=False)


def on_mandate_changed(session: Session, event: MandateChanged) -> None:
    """The same of what holds from now on."""
    _tell(session, event, changed=True)


def on_mandate_ended(session: Session, event: MandateEnded) -> None:
    """That the account sees nothing any more."""
    person = session.get_one(Person, event.person_id)
    context = {"who": event.actor.name, "at": event.ended_at, "path": "/"}
    notify(session, "mandate_ended", person, context, urgent=True)


def _tell(session: Session, event: MandateGiven, *, changed: bool) -> None:
    person = session.get_one(Person, event.person_id)
    zone = zone_of(session)
    named = select(Unit.name).where(Unit.slug.in_(event.units)).order_by(Unit.name)

    def last_day(moment: datetime | None) -> Any:
        return (moment - timedelta(microseconds=1)).astimezone(zone).date() if moment else None

    context = {
        "changed": changed,
        "who": event.actor.name,
        "first_day": event.begins_at.astimezone(zone).date(),
        "last_day": last_day(event.ends_at),
        "units": list(session.scalars(named)) if event.units else [],
        "offerings": list(event.offerings),
        "since": event.since.astimezone(zone).date() if event.since else None,
        "until": last_day(event.until),
        "path": PATH,
    }
    notify(session, "mandate_given", person, context, urgent=True)
