"""Reading tokens for their pages; never the tokens themselves, which nobody has but their owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission
from portal.identity.tokens.model import ApiToken
from portal.identity.tokens.scopes import SCOPES

MOST = 200


class TokenLine(NamedTuple):
    """One token that works; moments are in the reader's zone."""

    id: int
    name: str
    hint: str
    scopes: str
    person: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def tokens_for(session: Session, actor: Actor) -> Sequence[TokenLine]:
    """The actor's own tokens, or for an administrator everybody's, the latest first; one statement."""
    statement = (
        select(ApiToken, Person.name)
        .join(Person, Person.id == ApiToken.person_id)
        .where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now(session))
        .order_by(ApiToken.id.desc())
        .limit(MOST)
    )
    if not actor.may(Permission.MANAGE_TOKENS):
        statement = statement.where(ApiToken.person_id == actor.person_id)
    zone = ZoneInfo(actor.timezone)
    return [
        TokenLine(
            token.id,
            token.name,
            token.hint,
            ", ".join(_(SCOPES[scope]) for scope in token.scopes if scope in SCOPES),
            name,
            token.created_at.astimezone(zone),
            token.expires_at.astimezone(zone),
            token.last_used_at.astimezone(zone) if token.last_used_at else None,
        )
        for token, name in session.execute(statement)
    ]
