"""Finding people."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.identity.model import Group, Membership, Person


def find_person(session: Session, *, issuer: str, subject: str) -> Person | None:
    """The person with this identity. E-mail addresses are never looked at."""
    return session.scalar(select(Person).where(Person.issuer == issuer, Person.subject == subject))


def people_named(session: Session, text: str) -> list[Person]:
    """Active people whose account name, mail address or name is exactly this, in any case."""
    wanted = text.strip().casefold()
    return list(
        session.scalars(
            select(Person)
            .where(
                Person.active.is_(True),
                or_(
                    func.lower(Person.user_name) == wanted,
                    func.lower(Person.email) == wanted,
                    func.lower(Person.name) == wanted,
                ),
            )
            .order_by(Person.id)
        )
    )


def active_people(session: Session) -> list[Person]:
    """Everyone active, by name."""
    return list(session.scalars(select(Person).where(Person.active.is_(True)).order_by(Person.name)))


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
