"""What the ledger keeps of auditors' mandates; the subject is the person, with whose word is the entry's actor."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from portal.audit.record import record
from portal.identity.events import MandateChanged, MandateEnded, MandateGiven

GIVEN = "mandate:given"
CHANGED = "mandate:changed"
ENDED = "mandate:ended"


def on_mandate_given(session: Session, event: MandateGiven) -> None:
    """Whose account audits, when, and what."""
    _say(session, GIVEN, event)


def on_mandate_changed(session: Session, event: MandateChanged) -> None:
    """What holds from here on."""
    _say(session, CHANGED, event)


def on_mandate_ended(session: Session, event: MandateEnded) -> None:
    """Whose account sees nothing from here on."""
    record(
        session,
        ENDED,
        subject=f"person:{event.person_id}",
        actor=event.actor,
        facts={"mandate": event.mandate_id, "ended_at": _told(event.ended_at)},
    )


def _say(session: Session, tag: str, event: MandateGiven) -> None:
    record(
        session,
        tag,
        subject=f"person:{event.person_id}",
        actor=event.actor,
        facts={
            "mandate": event.mandate_id,
            "begins_at": _told(event.begins_at),
            "ends_at": _told(event.ends_at),
            "units": list(event.units),
            "offerings": list(event.offerings),
            "since": _told(event.since),
            "until": _told(event.until),
        },
    )


def _told(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
