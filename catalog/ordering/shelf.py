"""The catalogue as one person sees it: what is for them, by when it would be done, what their unit and they use most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from catalog.offerings.audience import groups_of, may_order
from catalog.offerings.catalogue import Card, Category, Times, card_of, categories_of
from catalog.offerings.facts import person_facts
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import NO_SUCH_SERVICE, document_of, get_current_version, published_versions
from catalog.ordering.favourites import FavouriteLine, favourites_of
from catalog.ordering.pace import used_most
from catalog.ordering.times import times_of
from catalog.requests.context import get_person
from catalog.requests.route import Router
from portal.core.errors import NotFound
from portal.identity.actor import Actor
from portal.identity.model import Person

#: So many offerings stand in the row of what the unit uses most; with fewer in the catalogue the row says nothing.
ROW = 3


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalogue's page. `used` and `favourites` are empty while something is searched for."""

    categories: tuple[Category, ...]
    used: tuple[Card, ...]
    favourites: tuple[FavouriteLine, ...]
    published: int

    @property
    def found(self) -> int:
        """How many offerings are shown."""
        return sum(len(category.cards) for category in self.categories)


def shelf_of(session: Session, actor: Actor, router: Router, term: str = "") -> Shelf:
    """The catalogue for the actor. At most eight statements, whatever the number of offerings and requests."""
    person = get_person(session, actor.person_id or 0)
    versions = _visible(session, person, published_versions(session))
    times = times_of(session, person, versions, router)
    categories = categories_of(map(document_of, versions), term, times)
    if term:
        return Shelf(categories, (), (), len(versions))
    by_offering = {version.offering_id: version for version in versions}
    return Shelf(
        categories,
        _used(session, actor, by_offering, times) if len(versions) > ROW else (),
        favourites_of(session, actor, by_offering),
        len(versions),
    )


def get_offering_for(session: Session, actor: Actor, slug: str) -> tuple[Person, OfferingVersion]:
    """The actor's person and the offering. Raises NotFound where there is none that is for them."""
    person = get_person(session, actor.person_id or 0)
    version = get_current_version(session, slug)
    if not _visible(session, person, (version,)):
        raise NotFound(NO_SUCH_SERVICE)
    return person, version


def _visible(
    session: Session, person: Person, versions: Sequence[OfferingVersion]
) -> tuple[OfferingVersion, ...]:
    if all(document_of(version).audience is None for version in versions):
        return tuple(versions)
    viewer = person_facts(person, groups=groups_of(session, person.id))
    return tuple(version for version in versions if may_order(document_of(version), viewer))


def _used(
    session: Session, actor: Actor, versions: dict[int, OfferingVersion], times: dict[str, Times]
) -> tuple[Card, ...]:
    cards = []
    for offering_id in used_most(session, actor.unit_id, ROW * 3):
        if offering_id in versions:
            document = document_of(versions[offering_id])
            cards.append(card_of(document, times.get(document.slug)))
    return tuple(cards[:ROW])
