"""Reading passkeys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.identity.passkeys.model import Passkey


def passkeys_of(session: Session, person_id: int | None, *, revoked: bool = False) -> Sequence[Passkey]:
    """The person's passkeys, the oldest first; revoked ones only when they are asked for."""
    statement = select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.id)
    return session.scalars(statement if revoked else statement.where(Passkey.revoked_at.is_(None))).all()
