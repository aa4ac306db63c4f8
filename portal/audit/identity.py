"""What the ledger keeps of sign-ins, sessions and imports; identity stands below and only publishes events."""

from __future__ import annotations

import base64

from sqlalchemy.orm import Session

from portal.audit.record import record
from portal.identity.actor import PORTAL
from portal.identity.events import (
    AbsenceAdded,
    AbsenceRemoved,
    ApiTokenCreated,
    ApiTokenRevoked,
    PasskeyEnrolled,
    PasskeyRevoked,
    PeopleImported,
    PersonSignedIn,
    RotaImported,
    SessionEnded,
    SignInRefused,
)

#: An enrolled key is itself in the ledger, so that what it signs can be checked without the portal.
PASSKEY_ENROLLED = "passkey:enrolled"
#: The subject is the person; with whose word is the entry's actor.
ROLE_GIVEN = "role:given"
ROLE_TAKEN = "role:taken"
PASSKEY_REVOKED = "passkey:revoked"
TOKEN_CREATED = "token:created"  # noqa: S105  (a tag)
TOKEN_REVOKED = "token:revoked"  # noqa: S105  (a tag)


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
    """How many people, units and groups there are, and the file's digest; then each role that somebody got or lost by it."""
    record(
        session,
        "people:imported",
        subject="people",
        actor=event.actor,
        facts={"people": event.people, "units": event.units, "groups": event.groups, "digest": event.digest},
    )
    for tag, roles in ((ROLE_GIVEN, event.given), (ROLE_TAKEN, event.taken)):
        for held in roles:
            record(
                session,
                tag,
                subject=f"person:{held.person_id}",
                actor=event.actor,
                facts={"role": held.role, "group": held.group},
            )


def on_rota_imported(session: Session, event: RotaImported) -> None:
    """Which rota, how many duties of how many people, and the file's digest."""
    record(
        session,
        "rota:imported",
        subject=f"rota:{event.rota}",
        actor=event.actor,
        facts={"people": event.people, "shifts": event.shifts, "digest": event.digest},
    )


def passkey_subject(credential: str) -> str:
    """How the ledger names a key, by the digest of its identifier (`sha256:` and hex)."""
    return f"passkey:{credential}"


def on_passkey_enrolled(session: Session, event: PasskeyEnrolled) -> None:
    """The key itself (SubjectPublicKeyInfo in DER, base64), whose it is, and after which sign-in it was enrolled."""
    actor = event.actor
    record(
        session,
        PASSKEY_ENROLLED,
        subject=passkey_subject(event.credential),
        actor=actor,
        facts={
            "person": f"person:{actor.person_id}",
            "credential": event.credential,
            "public_key": base64.b64encode(event.public_key).decode(),
            "aaguid": event.aaguid,
            "sign_count": event.sign_count,
            "rp_id": event.rp_id,
            "auth_time": actor.auth_time.isoformat() if actor.auth_time else None,
            "acr": actor.acr,
            "amr": list(actor.amr),
        },
        personal={"name": event.name},
    )


def on_passkey_revoked(session: Session, event: PasskeyRevoked) -> None:
    """Which key signs nothing from here on."""
    record(
        session,
        PASSKEY_REVOKED,
        subject=passkey_subject(event.credential),
        actor=event.actor,
        facts={"person": f"person:{event.person_id}", "credential": event.credential},
    )


def on_token_created(session: Session, event: ApiTokenCreated) -> None:
    """Whose token it is, what it may be used for and until when; never the token."""
    record(
        session,
        TOKEN_CREATED,
        subject=f"token:{event.token_id}",
        actor=event.actor,
        facts={
            "person": f"person:{event.person_id}",
            "scopes": list(event.scopes),
            "expires_at": event.expires_at.isoformat(),
        },
        personal={"name": event.name},
    )


def on_token_revoked(session: Session, event: ApiTokenRevoked) -> None:
    """Which token opens nothing from here on."""
    record(
        session,
        TOKEN_REVOKED,
        subject=f"token:{event.token_id}",
        actor=event.actor,
        facts={"person": f"person:{event.person_id}"},
    )


def on_absence_added(session: Session, event: AbsenceAdded) -> None:
    """That a person is away; the days are theirs, so they can be erased."""
    _record_absence(session, "absence:added", event)


def on_absence_removed(session: Session, event: AbsenceRemoved) -> None:
    """That a person took an absence back."""
    _record_absence(session, "absence:removed", event)


def _record_absence(session: Session, tag: str, event: AbsenceAdded | AbsenceRemoved) -> None:
    record(
        session,
        tag,
        subject=f"person:{event.actor.person_id}",
        actor=event.actor,
        facts={"absence": event.absence_id},
        personal={"days": f"{event.first_day.isoformat()}/{event.last_day.isoformat()}"},
    )
