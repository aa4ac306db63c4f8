"""Outlook: by when offerings would be done for somebody who asks now, before a single answer is known.

Every stage counts as asked, so what is said is an upper bound and never better than the truth. The people are those
whom the stage's rule means for this person; their own working calendars say how long it takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, and_, cast, null, select, union_all
from sqlalchemy.orm import Session

from approvals.routing.deadlines import calendar_of, due_at
from catalog.offerings.language import OfferingDocument
from catalog.offerings.route import Approvers, Ask
from catalog.requests.working_hours import absences_since, days_between
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Absence, Group, Membership, Person, Unit
from portal.identity.unit_settings import UnitSettings


@dataclass(slots=True)
class _Living:
    """Where somebody lives and works, and when they are away."""

    timezone: str
    country: str
    unit: UnitSettings
    away: set[date] = field(default_factory=set)


def outlook(
    session: Session, person: Person, documents: Sequence[OfferingDocument], start: datetime
) -> dict[str, datetime]:
    """When the last stage would be due (UTC) by the offering's slug, if every stage is asked and uses up its time.

    The person is read with their unit. One statement for everybody who may be asked, however many offerings, and one
    for the manager's manager where an offering asks them.
    """
    unit = UnitSettings.from_json(person.unit.settings)
    superiors = _superiors(session, person, documents)
    slugs = {unit.group_for(slug) for document in documents for slug in _groups_of(document)}
    people, members = _people(session, slugs, {number for number in superiors.values() if number})
    calendars: dict[Any, WorkingCalendar] = {}

    def calendar(document: OfferingDocument, number: int) -> WorkingCalendar:
        living = people[number]
        key = (document.calendar, living.timezone, living.country, id(living.unit), frozenset(living.away))
        if key not in calendars:
            calendars[key] = calendar_of(
                document.calendar, living.timezone, living.country, unit=living.unit, away=living.away
            )
        return calendars[key]

    def ends(document: OfferingDocument, ask: Ask, begun: datetime) -> Iterable[datetime]:
        minutes = unit.target_for(document.slug, ask.slug, ask.target_minutes)
        if ask.approvers.rota is not None:
            # Whoever is on duty then works by the clock, whoever that is.
            yield begun + timedelta(minutes=minutes)
        for asked in _asked(document, ask.approvers, unit, superiors, members):
            who = [number for number in asked if number != person.id and number in people]
            quorum = len(who) if ask.quorum == "all" else ask.quorum
            yield due_at(
                (calendar(document, number) for number in who), start=begun, minutes=minutes, quorum=quorum
            )

    found = {}
    for document in documents:
        due = start
        for stage in () if document.kind == "standard" else document.route.stages:
            due = max((end for ask in stage.asks for end in ends(document, ask, due)), default=due)
        found[document.slug] = due
    return found


def _asked(
    document: OfferingDocument,
    approvers: Approvers,
    unit: UnitSettings,
    superiors: Mapping[str, int | None],
    members: Mapping[str, Sequence[int]],
) -> Iterable[Sequence[int]]:
    """Each set of people who may be the ones asked: several where it depends on the answers."""
    if approvers.relation is not None:
        number = superiors[approvers.relation]
        return ((number,) if number else members[_last_of(document)],)
    return [
        members[unit.group_for(slug)] or members[_last_of(document)] for slug in _named(document, approvers)
    ]


def _groups_of(document: OfferingDocument) -> set[str]:
    named = {slug for ask in document.route.asks for slug in _named(document, ask.approvers)}
    return named | {_last_of(document)}


def _last_of(document: OfferingDocument) -> str:
    """The group that is asked where nobody else can be."""
    return document.route.fallback or document.owner


def _named(document: OfferingDocument, approvers: Approvers) -> set[str]:
    """The groups that a stage may ask."""
    if approvers.relation is not None or approvers.rota is not None:
        return set()
    if approvers.owner_of in document.resources:
        return {resource.owner for resource in document.resources[approvers.owner_of or ""]}
    slug = approvers.group or approvers.owner_of_group
    if slug is not None:
        return {slug}
    # Who owns an asset, is named or is in a computed group is known only with the answers; those who are asked last
    # stand for them.
    return {_last_of(document)}


def _superiors(
    session: Session, person: Person, documents: Iterable[OfferingDocument]
) -> dict[str, int | None]:
    relations = {ask.approvers.relation for document in documents for ask in document.route.asks}
    second = None
    if "manager-of-manager" in relations and person.manager_id is not None:
        second = session.scalar(select(Person.manager_id).where(Person.id == person.manager_id))
    return {
        "line-manager": person.manager_id,
        "manager-of-manager": second,
        "unit-head": person.unit.head_id,
    }


def _people(
    session: Session, slugs: Iterable[str], numbers: Iterable[int]
) -> tuple[dict[int, _Living], dict[str, list[int]]]:
    """Everybody in these groups or of these numbers, and the members by group, in one statement."""
    in_groups = (
        select(Group.slug, Membership.person_id)
        .join(Membership, Membership.group_id == Group.id)
        .where(Group.slug.in_(list(slugs)))
    )
    by_number = select(cast(null(), String), Person.id).where(Person.id.in_(list(numbers)))
    asked = union_all(in_groups, by_number).subquery()
    slug, number = asked.c[0], asked.c[1]
    people: dict[int, _Living] = {}
    members: dict[str, list[int]] = defaultdict(list)
    units: dict[int, UnitSettings] = {}
    for group, person, timezone, unit_id, country, settings, first, last in session.execute(
        select(
            slug,
            Person.id,
            Person.timezone,
            Unit.id,
            Unit.country,
            Unit.settings,
            Absence.first_day,
            Absence.last_day,
        )
        .select_from(asked)
        .join(Person, and_(Person.id == number, Person.active))
        .join(Unit, Unit.id == Person.unit_id)
        .outerjoin(Absence, and_(Absence.person_id == Person.id, Absence.last_day >= absences_since(session)))
    ):
        if unit_id not in units:
            units[unit_id] = UnitSettings.from_json(settings)
        living = people.setdefault(person, _Living(timezone, country, units[unit_id]))
        living.away.update(days_between(first, last))
        if group is not None and person not in members[group]:
            members[group].append(person)
    return people, members
