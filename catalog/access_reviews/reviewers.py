"""Who reviews: whoever answers for a thing, never its holder; and whoever is above them when they are not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement
from catalog.entitlements.recertifying.people import owners_of_each
from catalog.entitlements.rights import Owner
from catalog.offerings.route import CalendarRule
from catalog.offerings.words import MINUTES
from catalog.requests.working_hours import calendars_of
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Group, Membership, Person, Unit

COMPLIANCE = "compliance"
BY_COMPLIANCE = f"role:{COMPLIANCE}"
_AT_A_TIME = 500


def reviewers_of_each(
    session: Session, entitlements: Sequence[Entitlement], opened: datetime, due: datetime
) -> dict[int, Sequence[Owner]]:
    """Who is asked about each, by its number; empty for what nobody can be asked about.

    Those who answer for it, as `owners_to_ask` has it; of them only whoever works at some time before it is due. Where
    all of them are away for the whole time, whoever is above them; and at last compliance.
    """
    # Held here so that the session knows them while each one is looked at.
    people = _load(session, {entitlement.person_id for entitlement in entitlements})
    held = (people, _load(session, {p.manager_id for p in people if p.manager_id}))
    units = session.scalars(select(Unit)).all()
    owners = owners_of_each(session, entitlements)
    asked = {owner.person.id for each in owners.values() for owner in each}
    working = who_works(session, asked, opened, due)
    compliance = compliance_people(session)
    found: dict[int, Sequence[Owner]] = {}
    for entitlement in entitlements:
        there = [owner for owner in owners[entitlement.id] if owner.person.id in working]
        if not there:
            there = list(
                above(session, [o.person for o in owners[entitlement.id]], entitlement, compliance=compliance)
            )
        found[entitlement.id] = there
    del held, units
    return found


def above(
    session: Session,
    people: Sequence[Person],
    entitlement: Entitlement,
    *,
    compliance: Sequence[Person],
) -> Sequence[Owner]:
    """Whoever is above those who were asked: their superiors, else the heads of their units, else compliance.

    Never the holder, never one of those who were asked; empty where nobody is left.
    """
    left_out = {entitlement.person_id, *(person.id for person in people)}
    superiors = [session.get(Person, person.manager_id) for person in people if person.manager_id]
    if found := _owners(superiors, left_out, "line-manager"):
        return found
    heads = [session.get_one(Unit, person.unit_id).head_id for person in people]
    if found := _owners([session.get(Person, head) for head in heads if head], left_out, "unit-head"):
        return found
    return _owners(compliance, left_out, BY_COMPLIANCE)


def compliance_people(session: Session) -> Sequence[Person]:
    """Everybody active with the role, by name."""
    groups = [
        number
        for number, roles in session.execute(select(Group.id, Group.roles).order_by(Group.id))
        if COMPLIANCE in roles
    ]
    return session.scalars(
        select(Person)
        .where(
            Person.id.in_(select(Membership.person_id).where(Membership.group_id.in_(groups))), Person.active
        )
        .order_by(Person.name, Person.id)
    ).all()


def who_works(session: Session, people: Collection[int], since: datetime, until: datetime) -> frozenset[int]:
    """Which of these people work at some time in between."""
    calendars = calendars_by_person(session, people)
    return frozenset(
        number for number, calendar in calendars.items() if calendar.minutes_between(since, until)
    )


def calendars_by_person(session: Session, people: Collection[int]) -> Mapping[int, WorkingCalendar]:
    """Everybody's own working time, with their absences."""
    numbers = sorted(people)
    found: dict[int, WorkingCalendar] = {}
    for first in range(0, len(numbers), _AT_A_TIME):
        found |= calendars_of(session, numbers[first : first + _AT_A_TIME], CalendarRule())
    return found


@dataclass(frozen=True, slots=True)
class Reminders:
    """When somebody is reminded (UTC); None for what would come too late or too early to help."""

    half: datetime | None
    last: datetime | None


def reminders(calendar: WorkingCalendar, opened: datetime, due: datetime) -> Reminders:
    """At half of the person's working time, and one working day of theirs before the end."""
    minutes = calendar.minutes_between(opened, due)
    day = MINUTES["d"]
    half = calendar.add(opened, minutes // 2) if minutes else None
    last = calendar.add(opened, minutes - day) if minutes > day else None
    if half and last and last - half < timedelta(hours=1):
        last = None
    return Reminders(half, last)


def days_later(calendars: Mapping[int, WorkingCalendar], at: datetime, days: int) -> datetime:
    """When everybody of these who is there has had so many working days; as many days where nobody is."""
    ends = []
    for calendar in calendars.values():
        # Whoever is away for a year and more holds nobody up.
        with suppress(ValueError):
            ends.append(calendar.add(at, days * MINUTES["d"]))
    return max(ends, default=at + timedelta(days=days))


def _owners(people: Sequence[Person | None], left_out: Collection[int], rule: str) -> Sequence[Owner]:
    found = {
        person.id: Owner(person, rule)
        for person in people
        if person is not None and person.active and person.id not in left_out
    }
    return sorted(found.values(), key=lambda owner: (owner.person.name, owner.person.id))


def _load(session: Session, numbers: Collection[int]) -> Sequence[Person]:
    wanted = sorted(numbers)
    found: list[Person] = []
    for first in range(0, len(wanted), _AT_A_TIME):
        found += session.scalars(select(Person).where(Person.id.in_(wanted[first : first + _AT_A_TIME])))
    return found
