"""Making and revoking tokens: one's own, or as an administrator another person's."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.events import publish
from portal.core.language import _
from portal.core.text import clean_line
from portal.identity.actor import Actor
from portal.identity.events import ApiTokenCreated, ApiTokenRevoked
from portal.identity.model import Person
from portal.identity.permissions import Permission
from portal.identity.tokens.model import ApiToken
from portal.identity.tokens.scopes import SCOPES

#: By which a token is known wherever it turns up: in a log, or in a repository by mistake.
PREFIX = "countersign_"
#: 256 random bits.
_BYTES = 32
_HINT = len(PREFIX)
LONGEST_NAME = 100
LONGEST = timedelta(days=366)


def create_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Collection[str],
    until: date | None,
    user_name: str = "",
) -> tuple[ApiToken, str]:
    """A token for the actor, or for whoever is called `user_name`; and its text, which is nowhere else.

    It ends with that day (UTC), which is a year ahead at most. Raises FieldError, and Forbidden for another's by
    whoever does not manage tokens.
    """
    person = _person(session, actor, user_name)
    said = _name(session, person, name)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise FieldError("scopes", _("Choose what the token may be used for."))
    at = now(session)
    if until is None or not at.date() <= until <= at.date() + LONGEST:
        raise FieldError("until", _("Give the last day on which it works, within a year from today."))
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    token = ApiToken(
        person_id=person.id,
        name=said,
        token_hash=hash_token(text),
        hint=text[_HINT : _HINT + 4],
        scopes=sorted(scopes),
        created_by_id=actor.person_id,
        created_at=at,
        expires_at=datetime.combine(until + timedelta(days=1), time(), UTC),
    )
    session.add(token)
    session.flush()
    publish(session, ApiTokenCreated(actor, token.id, person.id, said, tuple(token.scopes), token.expires_at))
    return token, text


def revoke_token(session: Session, actor: Actor, token_id: int) -> ApiToken:
    """Revoke one's own token, or as an administrator anybody's. Raises NotFound, Conflict when it is revoked."""
    token = session.scalars(select(ApiToken).where(ApiToken.id == token_id).with_for_update()).one_or_none()
    if token is None or not (token.person_id == actor.person_id or actor.may(Permission.MANAGE_TOKENS)):
        raise NotFound(_("There is no such token, or it is not yours."))
    if token.revoked_at is not None:
        raise Conflict(_("This token is revoked already."))
    token.revoked_at = now(session)
    publish(session, ApiTokenRevoked(actor, token.id, token.person_id))
    return token


def hash_token(text: str) -> str:
    """What the database holds of a token. It is random, so that one pass is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


def _person(session: Session, actor: Actor, user_name: str) -> Person:
    if not user_name.strip():
        return session.get_one(Person, actor.person_id)
    statement = select(Person).where(Person.user_name == user_name.strip(), Person.active)
    person = session.scalars(statement).one_or_none()
    if person is not None and person.id == actor.person_id:
        return person
    if not actor.may(Permission.MANAGE_TOKENS):
        raise Forbidden(_("Only administrators make tokens for others."))
    if person is None:
        raise FieldError("person", _("Nobody active has this user name."))
    return person


def _name(session: Session, person: Person, name: str) -> str:
    try:
        said = clean_line(name)
    except ValueError as error:
        raise FieldError("name", f"{error}.") from error
    if not said or len(said) > LONGEST_NAME:
        raise FieldError(
            "name", _("Give it a name of 1 to %(most)s characters, such as the program's.", most=LONGEST_NAME)
        )
    same = select(ApiToken.id).where(
        ApiToken.person_id == person.id, ApiToken.name == said, ApiToken.revoked_at.is_(None)
    )
    if session.scalars(same.limit(1)).first() is not None:
        raise FieldError(
            "name", _("There is a token of this name already. Revoke it, or choose another name.")
        )
    return said
