"""People with administrative rights: who has which role of the portal, through which group, and where that comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.identity import ROLE_GIVEN, ROLE_TAKEN
from portal.audit.model import Entry
from portal.identity.model import Group, Membership, Person
from portal.identity.tokens.model import ApiToken
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    moment,
    person,
)
from reports.evidence.terms import Count, Moment, Part, PersonRef

IMPORTED = "people:imported"


class RoleLine(Part):
    """One person's role through one group: since when and by whose word, where an entry tells it."""

    person: PersonRef
    role: str
    group: str
    active: bool
    since: Moment | None
    given_by: str | None


class RoleChangeLine(Part):
    """A role that somebody got or lost between the two heads; `actor` is a person or the portal."""

    entry: Count
    at: Moment
    actor: str
    given: bool
    person: PersonRef
    role: str
    group: str


class ImportLine(Part):
    """One reading-in of the organisation's file, which says who is in which group."""

    entry: Count
    at: Moment
    actor: str
    people: Count
    digest: str


class TokenLine(Part):
    """A token with which a program speaks for a person."""

    person: PersonRef
    scopes: tuple[str, ...]
    created_by: PersonRef
    created_at: Moment
    expires_at: Moment


class Facts(Part):
    """As it was when the report was made; `imports` are the last before the period and all in it."""

    roles: tuple[RoleLine, ...]
    changes: tuple[RoleChangeLine, ...]
    imports: tuple[ImportLine, ...]
    tokens: tuple[TokenLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Four statements."""
    changes = _changes(session, scope)
    return Facts(
        roles=_roles(session, changes),
        changes=tuple(change for change in changes if change.entry > scope.before_size),
        imports=_imports(session, scope),
        tokens=_tokens(session, scope),
    )


def _changes(session: Session, scope: Scope) -> list[RoleChangeLine]:
    """Every role that was ever given or taken, in order."""
    statement = (
        select(Entry.number, Entry.at, Entry.actor, Entry.tag, Entry.subject, Entry.body)
        .where(Entry.tag.in_((ROLE_GIVEN, ROLE_TAKEN)), Entry.number <= scope.after_size)
        .order_by(Entry.number)
    )
    changes = []
    for number, at, actor, tag, subject, body in session.execute(statement):
        facts = json.loads(body)["facts"]
        changes.append(
            RoleChangeLine(
                entry=number,
                at=moment(at) or "",
                actor=actor,
                given=tag == ROLE_GIVEN,
                person=subject,
                role=facts["role"],
                group=facts["group"],
            )
        )
    return changes


def _roles(session: Session, changes: Sequence[RoleChangeLine]) -> tuple[RoleLine, ...]:
    given = {(change.person, change.role, change.group): change for change in changes if change.given}
    statement = (
        select(Group.slug, Group.roles, Person.id, Person.active)
        .join(Membership, Membership.group_id == Group.id)
        .join(Person, Person.id == Membership.person_id)
        .order_by(Group.slug, Person.id)
    )
    found = sorted(
        (str(role), number, slug, active)
        for slug, roles, number, active in session.execute(statement)
        for role in roles
    )
    lines = []
    for role, number, slug, active in found:
        change = given.get((f"person:{number}", role, slug))
        lines.append(
            RoleLine(
                person=f"person:{number}",
                role=role,
                group=slug,
                active=active,
                since=change.at if change else None,
                given_by=change.actor if change else None,
            )
        )
    return tuple(lines)


def _imports(session: Session, scope: Scope) -> tuple[ImportLine, ...]:
    mine = (Entry.tag == IMPORTED, Entry.number <= scope.after_size)
    before = select(func.max(Entry.number)).where(*mine, Entry.number <= scope.before_size).scalar_subquery()
    lines = []
    for number, at, actor, body in session.execute(
        select(Entry.number, Entry.at, Entry.actor, Entry.body)
        .where(*mine, Entry.number >= func.coalesce(before, 0))
        .order_by(Entry.number)
    ):
        facts = json.loads(body)["facts"]
        lines.append(
            ImportLine(
                entry=number,
                at=moment(at) or "",
                actor=actor,
                people=facts["people"],
                digest=facts["digest"],
            )
        )
    return tuple(lines)


def _tokens(session: Session, scope: Scope) -> tuple[TokenLine, ...]:
    statement = (
        select(ApiToken)
        .where(
            ApiToken.created_at < scope.query.until,
            ApiToken.expires_at >= scope.query.begins,
            ApiToken.revoked_at.is_(None) | (ApiToken.revoked_at >= scope.query.begins),
        )
        .order_by(ApiToken.id)
    )
    return tuple(
        TokenLine(
            person=person(token.person_id) or "",
            scopes=tuple(str(name) for name in token.scopes),
            created_by=person(token.created_by_id) or "",
            created_at=moment(token.created_at) or "",
            expires_at=moment(token.expires_at) or "",
        )
        for token in session.scalars(statement)
    )
