"""What the ledger keeps of sign-ins, sessions and imports; identity stands below and only publishes events."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.audit.record import record
from portal.identity.actor import PORTAL
from portal.identity.events import PeopleImported, PersonSignedIn, SessionEnded, SignInRefused


def on_signed_in(session: Session, event: PersonSignedIn) -> None:
    """Who signed in, when the provider saw them, and how strongly."""
    actor = event.actor
    record(
        session,
        "session:stepped-up" if event.again else "session:started",
        subject=f"person:{actor.person_id}",
        actor=actor,
        facts={
            "session": actor.session_id,
            "auth_time": actor.auth_time.isoformat() if actor.auth_time else None,
            "acr": actor.acr,
            "amr": list(actor.amr),
        },
    )


def on_session_ended(session: Session, event: SessionEnded) -> None:
    """Which session ended and why."""
    record(
        session,
        "session:ended",
        subject=f"session:{event.session_id}",
        actor=event.actor,
        facts={"session": event.session_id, "because": event.because},
    )


def on_sign_in_refused(session: Session, event: SignInRefused) -> None:
    """A sign-in that did not hold."""
    record(
        session,
        "session:refused",
        subject="sign-in",
        actor=PORTAL,
        facts={"why": event.why, "issuer": event.issuer},
    )


def on_people_imported(session: Session, event: PeopleImported) -> None:
    """How many people, units and groups there are, and the file's digest."""
    record(
        session,
        "people:imported",
        subject="people",
        actor=event.actor,
        facts={"people": event.people, "units": event.units, "groups": event.groups, "digest": event.digest},
    )
