"""Revoking: a key signs nothing more. What it signed before still holds, and evidence can tell the two apart."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.errors import Conflict, NotFound
from portal.core.events import publish
from portal.core.language import _
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.events import PasskeyRevoked
from portal.identity.passkeys.ceremony import credential_digest, from_base64url
from portal.identity.passkeys.enrol import require_fresh
from portal.identity.passkeys.model import Passkey


def find_own(session: Session, actor: Actor, passkey_id: int) -> Passkey | None:
    """The actor's own key of this number, revoked or not."""
    return session.scalar(
        select(Passkey).where(Passkey.id == passkey_id, Passkey.person_id == actor.person_id)
    )


def revoke(session: Session, actor: Actor, passkey_id: int, *, settings: Settings) -> Passkey:
    """Revoke the actor's own key. Raises StepUpNeeded, NotFound for another's, Conflict when it is revoked already."""
    at = now(session)
    require_fresh(actor, settings, at=at)
    passkey = session.scalar(
        select(Passkey)
        .where(Passkey.id == passkey_id, Passkey.person_id == actor.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if passkey is None:
        raise NotFound(_("You have no such passkey."))
    if passkey.revoked_at is not None:
        raise Conflict(_("This passkey is revoked already."))
    passkey.revoked_at = at
    publish(
        session,
        PasskeyRevoked(
            actor,
            passkey.id,
            credential_digest(from_base64url(passkey.credential_id)),
            passkey.person_id,
            passkey.name,
        ),
    )
    return passkey
