"""What a person's own page shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload

from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person


@dataclass(frozen=True, slots=True)
class Section:
    """A page where a person changes what is theirs. Texts are messages; `endpoint` is its address by name."""

    title: str
    text: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the directory gave them to the portal; empty where it says nothing."""

    name: str
    user_name: str
    email: str
    title: str
    unit: str
    manager: str
    groups: tuple[str, ...]
    timezone: str


_MANAGER = aliased(Person)


def account_of(session: Session, actor: Actor) -> Account:
    """The actor's own account. Two statements."""
    row = session.execute(
        select(Person, _MANAGER.name)
        .outerjoin(_MANAGER, _MANAGER.id == Person.manager_id)
        .where(Person.id == actor.person_id)
        .options(joinedload(Person.unit))
    ).one()
    person: Person = row[0]
    groups = session.scalars(
        select(Group.name)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == person.id)
        .order_by(Group.name)
    )
    return Account(
        name=person.name,
        user_name=person.user_name,
        email=person.email,
        title=person.title,
        unit=person.unit.name,
        manager=row[1] or "",
        groups=tuple(groups),
        timezone=person.timezone,
    )
