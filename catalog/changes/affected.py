"""Who is affected by a change: the owners of what it touches, the people who use it, and whom the offering names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.changes.model import ChangedAsset, PlannedChange
from catalog.offerings.expressions import evaluate
from catalog.requests.context import Context
from portal.identity.model import Group, Membership, Person, Unit

#: A unit with more people than this is told through its head.
MOST_OF_A_UNIT = 50
GROUP, UNIT = "group:", "unit:"


def people_affected(
    session: Session, change: PlannedChange, context: Context, *, windowed: bool
) -> Sequence[Person]:
    """Everybody active whom it affects, but for those who asked and receive, by number. Raises RuleFailed.

    A change that is carried out at once affects nobody but them, unless the offering says otherwise. One that waits
    for windows affects the owners of its assets and, where the offering names nobody, the units that use these.
    """
    expression = context.document.source.affected
    named: list[str] = evaluate(expression, context.facts, list) if expression is not None else []
    numbers: set[int] = set()
    if windowed or expression is not None:
        numbers |= _owners(session, change)
    if expression is not None:
        numbers |= _named(session, named)
    elif windowed:
        units = select(Asset.unit_id).join(ChangedAsset, ChangedAsset.asset_id == Asset.id)
        numbers |= _of_units(session, session.scalars(units.where(ChangedAsset.change_id == change.id)))
    return _people(session, numbers - {context.requester.id, context.beneficiary.id})


def _owners(session: Session, change: PlannedChange) -> set[int]:
    """The people who own the assets, and the members of the groups that do."""
    rows = session.execute(
        select(Asset.owner_id, Membership.person_id)
        .join(ChangedAsset, ChangedAsset.asset_id == Asset.id)
        .outerjoin(Membership, Membership.group_id == Asset.owner_group_id)
        .where(ChangedAsset.change_id == change.id)
    )
    return {number for row in rows for number in row if number is not None}


def _named(session: Session, names: Iterable[str]) -> set[int]:
    """Those whom the offering's expression lists: user names, `group:<slug>`, `unit:<slug>`."""
    users: list[str] = []
    groups: list[str] = []
    units: list[str] = []
    for name in names:
        if name.startswith(GROUP):
            groups.append(name.removeprefix(GROUP))
        elif name.startswith(UNIT):
            units.append(name.removeprefix(UNIT))
        elif name:
            users.append(name)
    found = set(session.scalars(select(Person.id).where(Person.user_name.in_(users)))) if users else set()
    if groups:
        members = select(Membership.person_id).join(Group, Group.id == Membership.group_id)
        found |= set(session.scalars(members.where(Group.slug.in_(groups))))
    if units:
        found |= _of_units(session, session.scalars(select(Unit.id).where(Unit.slug.in_(units))))
    return found


def _of_units(session: Session, units: Iterable[int | None]) -> set[int]:
    """The people of each unit; of a large one its head, who passes it on."""
    found: set[int] = set()
    for number in sorted({unit for unit in units if unit is not None}):
        people = session.scalars(
            select(Person.id)
            .where(Person.unit_id == number, Person.active)
            .order_by(Person.id)
            .limit(MOST_OF_A_UNIT + 1)
        ).all()
        if len(people) <= MOST_OF_A_UNIT:
            found.update(people)
        elif head := session.scalar(select(Unit.head_id).where(Unit.id == number)):
            found.add(head)
    return found


def _people(session: Session, numbers: Collection[int]) -> Sequence[Person]:
    if not numbers:
        return ()
    return session.scalars(
        select(Person).where(Person.id.in_(numbers), Person.active).order_by(Person.id)
    ).all()
