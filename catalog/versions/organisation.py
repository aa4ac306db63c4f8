"""The organisation as it is now, read once: a replay asks it thousands of times and the database never again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.assets.model import Asset
from catalog.offerings.facts import PersonFacts, person_facts
from portal.core.clock import now
from portal.identity.model import Group, Membership, Person, Unit
from portal.identity.rotas.duty import Duty, duties
from portal.identity.unit_settings import UnitSettings


class Owned(NamedTuple):
    """What routes ask of an asset: who owns it, a person by number or a group by slug."""

    name: str
    owner_id: int | None
    group: str | None


@dataclass(frozen=True, slots=True)
class Organisation:
    """People by number and by user name, groups by slug, and the numbers of each group's members by name."""

    people: Mapping[int, Person]
    by_user_name: Mapping[str, Person]
    groups: Mapping[str, Group]
    members: Mapping[str, tuple[int, ...]]
    #: The slugs of each person's groups.
    groups_of: Mapping[int, tuple[str, ...]]
    #: Assets by id, and whose duty it is now and later, by the slugs of rotas.
    assets: Mapping[str, Owned] = field(default_factory=dict)
    duties: Mapping[str, tuple[Duty, ...]] = field(default_factory=dict)
    _facts: dict[int, PersonFacts] = field(default_factory=dict)
    _settings: dict[int, UnitSettings] = field(default_factory=dict)

    def facts_of(self, person: Person) -> PersonFacts:
        """What rules may know of the person, made once."""
        known = self._facts.get(person.id)
        if known is None:
            known = self._facts[person.id] = person_facts(person, groups=self.groups_of.get(person.id, ()))
        return known

    def settings_of(self, unit: Unit) -> UnitSettings:
        """What holds in the unit, made once."""
        known = self._settings.get(unit.id)
        if known is None:
            known = self._settings[unit.id] = UnitSettings.from_json(unit.settings)
        return known

    # What catalog.offerings.form_context.People asks of a directory. Those who left are found too: a past request
    # does not become wrong because somebody in it has left since.

    def find(self, text: str) -> Sequence[PersonFacts]:
        """The person of this user name; checked answers name people in no other way."""
        person = self.by_user_name.get(text)
        return (self.facts_of(person),) if person else ()

    def suggestions(self) -> Sequence[PersonFacts]:
        """None: nobody types."""
        return ()


def read_organisation(session: Session) -> Organisation:
    """Everybody with their units, every group, asset and rota; five statements."""
    people = session.scalars(
        select(Person).options(joinedload(Person.unit)).order_by(Person.name, Person.id)
    ).all()
    groups = session.scalars(select(Group)).all()
    by_number = {group.id: group.slug for group in groups}
    by_person: dict[int, list[str]] = defaultdict(list)
    for group_id, person_id in session.execute(select(Membership.group_id, Membership.person_id)):
        by_person[person_id].append(by_number[group_id])
    members: dict[str, list[int]] = defaultdict(list)
    for person in people:  # in the order of names, as routes list them
        for slug in by_person[person.id]:
            members[slug].append(person.id)
    return Organisation(
        people={person.id: person for person in people},
        by_user_name={person.user_name: person for person in people},
        groups={group.slug: group for group in groups},
        members={slug: tuple(numbers) for slug, numbers in members.items()},
        groups_of={number: tuple(sorted(slugs)) for number, slugs in by_person.items()},
        assets={
            row.asset_id: Owned(row.name, row.owner_id, by_number.get(row.owner_group_id))
            for row in session.execute(
                select(Asset.asset_id, Asset.name, Asset.owner_id, Asset.owner_group_id)
            )
        },
        duties=_duties(session),
    )


def _duties(session: Session) -> Mapping[str, tuple[Duty, ...]]:
    found: dict[str, list[Duty]] = defaultdict(list)
    for duty in duties(session, None, at=now(session)):
        found[duty.rota].append(duty)
    return {slug: tuple(several) for slug, several in found.items()}
