"""Who may see an offering and order it. To everybody else it does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.offerings.expressions import holds_for
from catalog.offerings.facts import PersonFacts, person_facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.names import names_of_requester
from catalog.offerings.queries import NO_SUCH_SERVICE, document_of, get_current_version
from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person

_NAMES = names_of_requester()


def may_order(document: OfferingDocument, viewer: PersonFacts) -> bool:
    """Whether the viewer, read with their groups, belongs to the offering's audience. Raises RuleFailed."""
    if document.audience is None:
        return True
    known = asdict(viewer)
    values = {name: known[name.removeprefix("requester.")] for name, _ in _NAMES}
    return holds_for(document.audience, _NAMES, {**values, "requester.groups": list(viewer.groups)})


def groups_of(session: Session, person_id: int) -> tuple[str, ...]:
    """The slugs of the person's groups, in order; one statement."""
    query = (
        select(Group.slug)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == person_id)
        .order_by(Group.slug)
    )
    return tuple(session.scalars(query))


def viewer_of(session: Session, actor: Actor) -> PersonFacts:
    """The actor as audiences know them; two statements."""
    query = select(Person).where(Person.id == actor.person_id).options(joinedload(Person.unit))
    return person_facts(session.scalars(query).one(), groups=groups_of(session, actor.person_id or 0))


def visible(
    session: Session, actor: Actor, versions: Iterable[OfferingVersion]
) -> tuple[OfferingVersion, ...]:
    """Those of the versions that the actor may see; reads the actor only where some have an audience."""
    versions = tuple(versions)
    if all(document_of(version).audience is None for version in versions):
        return versions
    viewer = viewer_of(session, actor)
    return tuple(version for version in versions if may_order(document_of(version), viewer))


def get_visible_version(session: Session, actor: Actor, slug: str) -> OfferingVersion:
    """The offering's current version. Raises NotFound where there is none that the actor may see."""
    version = get_current_version(session, slug)
    if not visible(session, actor, (version,)):
        raise NotFound(_(NO_SUCH_SERVICE))
    return version
