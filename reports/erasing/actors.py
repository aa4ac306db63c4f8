"""Whoever gives the word on the command line, with the roles that they have in the portal."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person


def actor_named(session: Session, user_name: str) -> Actor:
    """The active person with this user name. Raises NotFound."""
    person = session.scalars(
        select(Person).where(Person.user_name == user_name, Person.active.is_(True))
    ).one_or_none()
    if person is None:
        raise NotFound(_("Nobody who is active has the user name “%(name)s”.", name=user_name))
    groups = session.execute(
        select(Group.id, Group.roles)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == person.id)
    ).all()
    return Actor(
        name=person.name,
        person_id=person.id,
        issuer=person.issuer,
        subject=person.subject,
        unit_id=person.unit_id,
        roles=frozenset({"person", *(str(role) for _id, roles in groups for role in roles)}),
        group_ids=frozenset(group_id for group_id, _roles in groups),
    )
