"""Telling a person that a key was added to or taken from their account, in case it was not they who did it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.identity.events import PasskeyEnrolled, PasskeyRevoked
from portal.identity.model import Person
from portal.notifications.write import notify

#: Where they see all of them.
PATH = "/me/passkeys"


def on_passkey_enrolled(session: Session, event: PasskeyEnrolled) -> None:
    """Somebody who did not enrol it must hear of it at once."""
    person = session.get_one(Person, event.actor.person_id)
    context = {"name": event.name, "at": now(session), "path": PATH}
    notify(session, "passkey_enrolled", person, context, urgent=True)


def on_passkey_revoked(session: Session, event: PasskeyRevoked) -> None:
    """The same for one that was revoked."""
    person = session.get_one(Person, event.person_id)
    context = {"name": event.name, "at": now(session), "path": PATH}
    notify(session, "passkey_revoked", person, context, urgent=True)
