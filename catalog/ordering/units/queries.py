"""Requests of a unit and of those below it, for whoever leads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.offerings.called import names_of
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person, Unit
from portal.identity.permissions import UNIT_LEAD, Permission

PAGE = 25
_HIGHEST = 2**31 - 1


class UnitRequest(NamedTuple):
    """One request of the unit; the time is in the reader's zone."""

    reference: str
    title: str
    offering: str
    unit: str
    requester: str
    beneficiary: str
    state: str
    submitted_at: datetime
    missed: bool


_REQUESTER, _BENEFICIARY = aliased(Person), aliased(Person)
_LINES = (
    select(
        Request.number,
        Request.reference,
        Request.title,
        OfferingVersion.digest,
        OfferingVersion.document["name"].as_string().label("name"),
        Unit.name.label("unit"),
        _REQUESTER.name.label("requester"),
        _BENEFICIARY.name.label("beneficiary"),
        Request.state,
        Request.submitted_at,
        Request.promise_missed_at,
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(Unit, Unit.id == Request.unit_id)
    .join(_REQUESTER, _REQUESTER.id == Request.requester_id)
    .join(_BENEFICIARY, _BENEFICIARY.id == Request.beneficiary_id)
    .order_by(Request.number.desc())
)


def units_led_by(session: Session, actor: Actor) -> dict[int, str]:
    """The units whose requests the actor may see, with their names.

    Those that they head, their own where a group gives them the role, and all below these. Two statements; none
    without the permission.
    """
    if actor.person_id is None or not actor.may(Permission.READ_UNIT_REQUESTS):
        return {}
    units = session.execute(select(Unit.id, Unit.name, Unit.parent_id, Unit.head_id)).all()
    led = {number for number, _, _, head in units if head == actor.person_id}
    if actor.unit_id is not None and _role_is_given(session, actor):
        led.add(actor.unit_id)
    below: dict[int | None, list[int]] = defaultdict(list)
    for number, _, parent, _ in units:
        below[parent].append(number)
    reached: set[int] = set()
    waiting = list(led)
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting += below[number]
    return {number: name for number, name, _, _ in units if number in reached}


def requests_of_units(
    session: Session, actor: Actor, units: Collection[int], *, before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[UnitRequest], int | None]:
    """The requests that people of these units receive, the latest first, in one statement.

    `before` is where the page before this one ended; where the next one begins is given too, or None.
    """
    rows = session.execute(
        _LINES.where(
            Request.unit_id.in_(list(units)), Request.number < (before if before is not None else _HIGHEST)
        ).limit(limit + 1)
    ).all()
    zone = ZoneInfo(actor.timezone)
    called = names_of(session, ((row.digest, row.name) for row in rows))
    lines = tuple(
        UnitRequest(
            row.reference,
            spoken(row.title),
            called[row.digest],
            row.unit,
            row.requester,
            row.beneficiary,
            row.state.value,
            row.submitted_at.astimezone(zone),
            row.promise_missed_at is not None,
        )
        for row in rows[:limit]
    )
    return lines, rows[limit - 1].number if len(rows) > limit else None


def _role_is_given(session: Session, actor: Actor) -> bool:
    """Whether a group of theirs carries the role; heading a unit gives it for that unit alone."""
    roles = session.scalars(
        select(Group.roles)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == actor.person_id)
    )
    return any(UNIT_LEAD in given for given in roles)
