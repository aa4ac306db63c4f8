"""Finding people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

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
