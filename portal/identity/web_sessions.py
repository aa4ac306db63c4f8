"""Browser sessions, kept on the server: the cookie holds a random token and the database its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.events import publish
from portal.identity.actor import PORTAL, Actor
from portal.identity.auditors.model import AuditorMandate
from portal.identity.auditors.reading import scope_of
from portal.identity.events import PersonSignedIn, SessionEnded
from portal.identity.model import Group, Membership, Person, Unit, WebSession
from portal.identity.people import language_of
from portal.identity.permissions import AUDITOR, UNIT_LEAD
from portal.identity.sign_in.tokens import Identity

TOKEN_BYTES = 32
LIFETIME = timedelta(hours=12)
IDLE = timedelta(hours=1)
#: A session's last use is written at most this often.
SEEN_EVERY = timedelta(minutes=1)

_OPEN = (
    select(WebSession, Person)
    .outerjoin(Person, Person.id == WebSession.person_id)
    .where(WebSession.ended_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as one request needs it; `actor` is None when nobody has signed in."""

    id: int
    content: dict[str, Any] = field(hash=False)
    seen_at: datetime
    actor: Actor | None
    id_token: str


def hash_token(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_session(session: Session, token: str) -> OpenSession | None:
    """The session of this token, if it is neither ended nor expired nor idle for an hour."""
    found = session.execute(_OPEN.where(WebSession.token_hash == hash_token(token))).first()
    if found is None:
        return None
    row: WebSession = found[0]
    # an outer join: nobody may have signed in yet
    person: Person | None = found[1]
    time = now(session)
    if row.expires_at <= time or row.seen_at + IDLE <= time:
        return None
    actor = actor_of(session, person, row) if person is not None and person.active else None
    return OpenSession(row.id, dict(row.content), row.seen_at, actor, row.id_token)


def actor_of(session: Session, person: Person, row: WebSession) -> Actor:
    """The person as an actor, with the roles that their groups carry now, and that heading a unit brings; or as an auditor."""
    heads_a_unit = exists().where(Unit.head_id == Person.id)
    audits = exists().where(AuditorMandate.person_id == Person.id)
    rows = session.execute(
        select(heads_a_unit, Group.id, Group.roles, audits)
        .select_from(Person)
        .outerjoin(Membership, Membership.person_id == Person.id)
        .outerjoin(Group, Group.id == Membership.group_id)
        .where(Person.id == person.id)
    ).all()
    groups = [(group_id, roles) for _, group_id, roles, _ in rows if group_id is not None]
    leads = {UNIT_LEAD} if rows[0][0] else set()
    audit = scope_of(session, person.id) if rows[0][3] else None
    roles = {"person", *leads, *(role for _, given in groups for role in given)}
    if audit is not None:
        # Whatever groups a person comes into later: an auditor's account is for auditing alone.
        roles, groups = {AUDITOR} if audit.running else set(), []
    return Actor(
        name=person.name,
        person_id=person.id,
        issuer=person.issuer,
        subject=person.subject,
        unit_id=person.unit_id,
        roles=frozenset(roles),
        group_ids=frozenset(group_id for group_id, _ in groups),
        session_id=row.id,
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        timezone=person.timezone,
        language=language_of(person),
        audit=audit,
    )


def start_session(session: Session, content: Mapping[str, Any]) -> tuple[WebSession, str]:
    """A new session and its token, which is nowhere else."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    time = now(session)
    row = WebSession(
        token_hash=hash_token(token),
        created_at=time,
        seen_at=time,
        expires_at=time + LIFETIME,
        content=dict(content),
    )
    session.add(row)
    session.flush()
    return row, token


def keep_session(session: Session, session_id: int, content: Mapping[str, Any]) -> None:
    """Write what the session holds now."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(content=dict(content), seen_at=now(session))
    )


def sign_in(
    session: Session,
    person: Person,
    identity: Identity,
    *,
    id_token: str,
    content: Mapping[str, Any],
    replaces: OpenSession | None,
) -> tuple[Actor, str]:
    """A new session with a new token for a person who signed in; the old one ends."""
    row, token = start_session(session, content)
    row.person_id = person.id
    row.auth_time = identity.auth_time
    row.acr = identity.acr
    row.amr = list(identity.amr)
    row.provider_sid = identity.sid
    row.id_token = id_token
    actor = actor_of(session, person, row)
    again = bool(replaces and replaces.actor and replaces.actor.person_id == person.id)
    if replaces:
        session.execute(update(WebSession).where(WebSession.id == replaces.id).values(ended_at=now(session)))
    publish(session, PersonSignedIn(actor, again))
    return actor, token


def end_session(session: Session, actor: Actor, because: str) -> None:
    """End the actor's own session."""
    if actor.session_id is not None:
        _end(session, (actor.session_id,), actor, because)


def end_sessions_at_provider(session: Session, *, issuer: str, subject: str, sid: str) -> int:
    """End the sessions that the provider ended: one by its `sid`, else all of the subject. Gives how many."""
    query = (
        select(WebSession.id)
        .join(Person, Person.id == WebSession.person_id)
        .where(WebSession.ended_at.is_(None), Person.issuer == issuer)
    )
    if sid:
        query = query.where(WebSession.provider_sid == sid)
    if subject:
        query = query.where(Person.subject == subject)
    ids = tuple(session.scalars(query))
    _end(session, ids, PORTAL, "signed out at the identity provider")
    return len(ids)


def _end(session: Session, ids: tuple[int, ...], actor: Actor, because: str) -> None:
    for session_id in ids:
        session.execute(
            update(WebSession)
            .where(WebSession.id == session_id)
            .values(ended_at=now(session), content={}, id_token="")
        )
        publish(session, SessionEnded(actor, session_id, because))
