"""Finding people."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core.language import SOURCE, supported
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person


def find_person(session: Session, *, issuer: str, subject: str) -> Person | None:
    """The person with this identity. E-mail addresses are never looked at."""
    return session.scalar(select(Person).where(Person.issuer == issuer, Person.subject == subject))


def members_of(session: Session, group_slug: str) -> list[Person]:
    """The active members of a group, by name."""
    return list(
        session.scalars(
            select(Person)
            .join(Membership, Membership.person_id == Person.id)
            .join(Group, Group.id == Membership.group_id)
            .where(Group.slug == group_slug, Person.active.is_(True))
            .order_by(Person.name)
        )
    )


def people_in_roles(session: Session, *roles: str) -> list[Person]:
    """Everybody active who has one of the roles by a group, by name; two statements."""
    groups = [
        number for number, given in session.execute(select(Group.id, Group.roles)) if set(roles) & set(given)
    ]
    statement = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id.in_(groups), Person.active)
        .order_by(Person.name, Person.id)
        .distinct()
    )
    return list(session.scalars(statement))


def choose_language(session: Session, actor: Actor, code: str) -> None:
    """Remember the language that a person chose for pages and mails. Raises ValueError for one that is not ours."""
    if supported(code) != code:
        raise ValueError(code)
    session.execute(update(Person).where(Person.id == actor.person_id).values(language=code))


def language_of(person: Person) -> str:
    """The language that a person reads: the one they chose, else the one of their account."""
    return person.language or supported(person.locale) or SOURCE
