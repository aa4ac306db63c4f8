"""Writing an organisation into the portal: what the file names is made or changed, who is missing is deactivated."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.core.canonical import digest
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.events import PeopleImported, RoleHeld
from portal.identity.model import Absence, Group, Membership, Person, Unit
from portal.identity.organisation import Organisation, UnitLine, working_minutes
from portal.identity.unit_settings import UnitSettings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def import_people(session: Session, actor: Actor, read: Organisation, *, issuer: str) -> PeopleImported:
    """Make the portal's people, units and groups those of the file.

    People are matched on (issuer, subject). Nobody is deleted: who is no longer in the file becomes inactive,
    because requests and decisions still name them. Importing the same file again changes nothing.
    """
    before = _roles_held(session)
    units = _write_units(session, read)
    people = _write_people(session, read, units, issuer=issuer)
    for line in read.units:
        units[line.slug].head_id = people[line.head].id if line.head else None
    _write_groups(session, read, people)
    _write_absences(session, read, people)
    session.flush()
    after = _roles_held(session)
    event = PeopleImported(
        actor=actor,
        people=len(read.people),
        units=len(read.units),
        groups=len(read.groups),
        digest=digest(read.model_dump(mode="json")),
        given=tuple(sorted(after - before)),
        taken=tuple(sorted(before - after)),
    )
    publish(session, event)
    return event


def _roles_held(session: Session) -> set[RoleHeld]:
    """Every role that anybody has through a group, as it stands now."""
    statement = select(Membership.person_id, Group.roles, Group.slug).join(
        Group, Group.id == Membership.group_id
    )
    return {
        RoleHeld(person_id, str(role), slug)
        for person_id, roles, slug in session.execute(statement)
        for role in roles
    }


def _write_units(session: Session, read: Organisation) -> dict[str, Unit]:
    known = {unit.slug: unit for unit in session.scalars(select(Unit))}
    lines = {line.slug: line for line in read.units}
    for line in read.units:
        unit = known.get(line.slug)
        if unit is None:
            unit = known[line.slug] = Unit(slug=line.slug, name=line.name, timezone="UTC", country="")
            session.add(unit)
        unit.name = line.name
        unit.timezone = _inherited(lines, line, "timezone") or "UTC"
        unit.country = _country(lines, line)
        unit.settings = _settings(lines, line, read).to_json()
    session.flush()
    for line in read.units:
        known[line.slug].parent_id = known[line.parent].id if line.parent else None
    return known


def _inherited(lines: dict[str, UnitLine], line: UnitLine, name: str) -> str:
    here: UnitLine | None = line
    while here is not None:
        if value := str(getattr(here, name)):
            return value
        here = lines.get(here.parent)
    return ""


def _country(lines: dict[str, UnitLine], line: UnitLine) -> str:
    """The nearest unit's country with its own subdivision, such as DE-BE."""
    here: UnitLine | None = line
    while here is not None:
        if here.country:
            return f"{here.country}-{here.subdivision}" if here.subdivision else here.country
        here = lines.get(here.parent)
    return ""


def _settings(lines: dict[str, UnitLine], line: UnitLine, read: Organisation) -> UnitSettings:
    """What holds in the unit: its own settings over those of every unit above it."""
    calendar = line.calendar
    own = UnitSettings(
        approver_groups=line.approver_groups,
        targets={name: working_minutes(time) for name, time in line.targets.items()},
        days=frozenset(WEEKDAYS.index(day) + 1 for day in calendar.days) if calendar else frozenset(),
        hours=calendar.hours if calendar else "",
        days_off=frozenset((*line.days_off, *read.days_off)),
    )
    above = lines.get(line.parent)
    return own.below(_settings(lines, above, read)) if above else own


def _write_people(
    session: Session, read: Organisation, units: dict[str, Unit], *, issuer: str
) -> dict[str, Person]:
    known = {
        person.subject: person for person in session.scalars(select(Person).where(Person.issuer == issuer))
    }
    named: dict[str, Person] = {}
    for line in read.people:
        person = known.pop(line.subject, None)
        if person is None:
            person = Person(issuer=issuer, subject=line.subject)
            session.add(person)
        person.user_name = line.user_name
        person.name = line.name
        person.email = line.email
        person.title = line.title
        person.unit_id = units[line.unit].id
        person.timezone = line.timezone or units[line.unit].timezone
        person.locale = line.locale
        person.active = line.active
        named[line.user_name] = person
    for missing in known.values():
        missing.active = False
    session.flush()
    for line in read.people:
        named[line.user_name].manager_id = named[line.manager].id if line.manager else None
    return named


def _write_absences(session: Session, read: Organisation, people: dict[str, Person]) -> None:
    """The imported absences are those of the file; what people added themselves stays.

    What somebody added and the file now says too is the file's from then on.
    """
    wanted = {(people[line.person].id, line.first_day, line.last_day) for line in read.absences}
    known = {
        (absence.person_id, absence.first_day, absence.last_day): absence
        for absence in session.scalars(select(Absence))
    }
    for key, absence in known.items():
        if key in wanted:
            absence.imported = True
        elif absence.imported:
            session.delete(absence)
    session.add_all(
        Absence(person_id=person, first_day=first, last_day=last, imported=True)
        for person, first, last in sorted(wanted - known.keys())
    )


def _write_groups(session: Session, read: Organisation, people: dict[str, Person]) -> None:
    known = {group.slug: group for group in session.scalars(select(Group))}
    for line in read.groups:
        group = known.pop(line.slug, None)
        if group is None:
            group = Group(slug=line.slug)
            session.add(group)
        group.name = line.name
        group.owner_id = people[line.owner].id if line.owner else None
        group.roles = list(line.roles)
        session.flush()
        wanted = {people[name].id for name in line.members}
        have = set(session.scalars(select(Membership.person_id).where(Membership.group_id == group.id)))
        session.execute(
            delete(Membership).where(Membership.group_id == group.id, Membership.person_id.in_(have - wanted))
        )
        session.add_all(
            Membership(group_id=group.id, person_id=person_id) for person_id in sorted(wanted - have)
        )
    for gone in known.values():
        session.execute(delete(Membership).where(Membership.group_id == gone.id))
        gone.roles = []
