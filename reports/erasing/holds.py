"""Legal holds: placing, lifting, and what they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from catalog.requests.model import Request
from catalog.requests.queries import find_id
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import _
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.model import Person, Unit
from portal.identity.permissions import Permission
from reports.erasing import tags
from reports.erasing.model import HoldKind, LegalHold

LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    """What a hold is to be on, as people name it: a user name, a reference, a unit's slug, or two days."""

    kind: HoldKind
    name: str = ""
    first_day: date | None = None
    last_day: date | None = None


def place_hold(session: Session, actor: Actor, target: Target, reason: str) -> LegalHold:
    """Keep what the target names from erasure and retention. Raises Forbidden, FieldError."""
    _insist(actor)
    hold = LegalHold(
        kind=target.kind, reason=_said(reason), placed_by_id=actor.person_id, placed_at=now(session)
    )
    _aim(session, hold, target)
    session.add(hold)
    session.flush()
    record(
        session,
        tags.HOLD_PLACED,
        subject=f"hold:{hold.id}",
        actor=actor,
        facts={"kind": hold.kind.value, "on": named(session, hold)},
        personal={"reason": hold.reason},
    )
    return hold


def lift_hold(session: Session, actor: Actor, hold_id: int, because: str) -> LegalHold:
    """End a hold that somebody else placed. Raises Forbidden, NotFound, Conflict, FieldError."""
    _insist(actor)
    hold = session.get(LegalHold, hold_id, with_for_update=True)
    if hold is None:
        raise NotFound(_("There is no such hold."))
    if hold.lifted_at is not None:
        raise Conflict(_("This hold was lifted before."))
    if hold.placed_by_id == actor.person_id:
        raise Conflict(_("You placed this hold; it takes somebody else to lift it."))
    hold.lifted_because = _said(because)
    hold.lifted_by_id, hold.lifted_at = actor.person_id, now(session)
    record(
        session,
        tags.HOLD_LIFTED,
        subject=f"hold:{hold.id}",
        actor=actor,
        facts={"kind": hold.kind.value, "on": named(session, hold)},
        personal={"reason": hold.lifted_because},
    )
    return hold


def holds_in_force(session: Session) -> Sequence[LegalHold]:
    """Those that nobody has lifted, oldest first."""
    return session.scalars(
        select(LegalHold).where(LegalHold.lifted_at.is_(None)).order_by(LegalHold.id)
    ).all()


def named(session: Session, hold: LegalHold) -> str:
    """What it is on, without anything personal: person:12, request:SR-000003, unit:sales, 2026-01-01/2026-03-31."""
    match hold.kind:
        case HoldKind.PERSON:
            return f"person:{hold.person_id}"
        case HoldKind.REQUEST:
            reference = session.scalar(select(Request.reference).where(Request.id == hold.request_id))
            return f"request:{reference}"
        case HoldKind.UNIT:
            return f"unit:{session.scalar(select(Unit.slug).where(Unit.id == hold.unit_id))}"
        case HoldKind.PERIOD:
            return f"{hold.first_day}/{hold.last_day}"


@dataclass(frozen=True, slots=True)
class Held:
    """What the holds in force cover: a condition on Request, and the numbers of people."""

    requests: ColumnElement[bool]
    people: Select[int]


def held(session: Session, holds: Sequence[LegalHold] | None = None) -> Held:
    """What holds cover; two statements at most. `holds` are those in force, where they were read before."""
    holds = holds_in_force(session) if holds is None else holds
    below: dict[int | None, set[int]] = {}
    for hold in holds:
        if hold.kind is HoldKind.UNIT and not below:
            below = _all_below(session)
    of_people = [
        Person.id == hold.person_id
        if hold.kind is HoldKind.PERSON
        else Person.unit_id.in_(below.get(hold.unit_id, set()))
        for hold in holds
        if hold.kind in {HoldKind.PERSON, HoldKind.UNIT}
    ]
    return Held(
        or_(false(), *(_covers(hold, below) for hold in holds)),
        select(Person.id).where(or_(false(), *of_people)),
    )


def held_requests(session: Session) -> ColumnElement[bool]:
    """A condition on Request: whether any hold covers it."""
    return held(session).requests


def held_ids(session: Session) -> Select[int]:
    """The numbers of all requests that a hold covers."""
    return select(Request.id).where(held_requests(session))


def holds_on(session: Session, person: Person) -> list[LegalHold]:
    """Holds on the person themselves, or on the unit that they belong to."""
    return [
        hold
        for hold in holds_in_force(session)
        if (hold.kind is HoldKind.PERSON and hold.person_id == person.id)
        or (hold.kind is HoldKind.UNIT and person.unit_id in _units_below(session, hold.unit_id))
    ]


def _covers(hold: LegalHold, below: dict[int | None, set[int]]) -> ColumnElement[bool]:
    match hold.kind:
        case HoldKind.PERSON:
            return or_(
                Request.requester_id == hold.person_id,
                Request.beneficiary_id == hold.person_id,
                Request.editor_id == hold.person_id,
            )
        case HoldKind.REQUEST:
            return Request.id == hold.request_id
        case HoldKind.UNIT:
            return Request.unit_id.in_(below.get(hold.unit_id, set()))
        case HoldKind.PERIOD:
            first, last = hold.first_day or date.min, hold.last_day or date.max
            return and_(
                Request.submitted_at >= datetime.combine(first, time(), UTC),
                Request.submitted_at < datetime.combine(last, time(), UTC) + timedelta(days=1),
            )


def _units_below(session: Session, unit_id: int | None) -> set[int]:
    return _all_below(session).get(unit_id, set())


def _all_below(session: Session) -> dict[int | None, set[int]]:
    """Each unit with itself and all that are below it."""
    rows = session.execute(select(Unit.id, Unit.parent_id)).all()
    parents: dict[int, int | None] = {row.id: row.parent_id for row in rows}
    below: dict[int | None, set[int]] = {one: set() for one in parents}
    for one in parents:
        for above in _above(parents, one):
            below[above].add(one)
    return below


def _above(parents: dict[int, int | None], unit_id: int | None) -> list[int]:
    way: list[int] = []
    while unit_id is not None and unit_id not in way:
        way.append(unit_id)
        unit_id = parents.get(unit_id)
    return way


def _aim(session: Session, hold: LegalHold, target: Target) -> None:
    match target.kind:
        case HoldKind.PERSON:
            hold.person_id = session.scalar(select(Person.id).where(Person.user_name == target.name))
            if hold.person_id is None:
                raise FieldError("target", _("Nobody has the user name “%(name)s”.", name=target.name))
        case HoldKind.REQUEST:
            hold.request_id = find_id(session, target.name.upper())
            if hold.request_id is None:
                raise FieldError("target", _("There is no request “%(name)s”.", name=target.name))
        case HoldKind.UNIT:
            hold.unit_id = session.scalar(select(Unit.id).where(Unit.slug == target.name))
            if hold.unit_id is None:
                raise FieldError("target", _("There is no unit “%(name)s”.", name=target.name))
        case HoldKind.PERIOD:
            if target.first_day is None or target.last_day is None or target.last_day < target.first_day:
                raise FieldError("target", _("Give a first and a last day, the last not before the first."))
            hold.first_day, hold.last_day = target.first_day, target.last_day


def _insist(actor: Actor) -> None:
    if actor.person_id is None or not actor.may(Permission.PLACE_HOLDS):
        raise Forbidden(_("Only compliance and administrators place and lift holds."))


def _said(reason: str) -> str:
    try:
        said = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", str(error)) from error
    if not said or len(said) > LONGEST_REASON:
        raise FieldError("reason", _("Say why, in at most %(number)s characters.", number=LONGEST_REASON))
    return said
