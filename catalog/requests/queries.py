"""Reading requests: by reference, by who may see them, and page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from catalog.offerings.called import names_of
from catalog.offerings.model import OfferingVersion
from catalog.ordering.units.queries import units_led_by
from catalog.requests.audited import is_in_scope
from catalog.requests.model import Request
from catalog.requests.route import Router
from catalog.requests.states import CLOSED, State
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

PAGE = 25
OPEN = tuple(state for state in State if state not in CLOSED and state is not State.FULFILLED)
DONE = (*CLOSED, State.FULFILLED)
_HIGHEST = 2**31 - 1


class RequestLine(NamedTuple):
    """One request in a list; the time is in the reader's zone."""

    reference: str
    title: str
    offering: str
    state: str
    waiting_for: str
    submitted_at: datetime
    beneficiary: str


class FailedLine(NamedTuple):
    """One request that failed."""

    reference: str
    title: str
    offering: str
    requester: str
    outcome: str
    failed_at: datetime | None


_BENEFICIARY = aliased(Person)
_OFFERING_NAME = OfferingVersion.document["name"].as_string().label("name")
# Built once: making the statement costs more than running it.
_MINE = (
    select(
        Request.number,
        Request.reference,
        Request.title,
        OfferingVersion.digest,
        _OFFERING_NAME,
        Request.state,
        Request.baton,
        Request.submitted_at,
        _BENEFICIARY.name.label("beneficiary"),
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(_BENEFICIARY, _BENEFICIARY.id == Request.beneficiary_id)
    .where(
        or_(Request.requester_id == bindparam("person"), Request.beneficiary_id == bindparam("person")),
        Request.state.in_(bindparam("states", expanding=True)),
        Request.number < bindparam("before"),
    )
    .order_by(Request.number.desc())
    .limit(bindparam("limit"))
)
_FAILED = (
    select(
        Request.reference,
        Request.title,
        OfferingVersion.digest,
        _OFFERING_NAME,
        Person.name,
        Request.outcome,
        Request.baton_since,
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(Person, Person.id == Request.requester_id)
    .where(Request.state == State.FAILED)
    .order_by(Request.number.desc())
)


def find_id(session: Session, reference: str) -> int | None:
    """The number by which the database knows the reference."""
    return session.scalar(select(Request.id).where(Request.reference == reference))


def request_for(session: Session, actor: Actor, reference: str, router: Router) -> Request:
    """The request, if the actor may see it.

    That is the requester, the beneficiary, its approvers, whoever leads the unit that receives it, and roles that
    read all; and of an auditor's account those in its scope, and no others.
    Raises NotFound otherwise, whether or not it exists: its existence is itself a secret.
    """
    statement = (
        select(Request)
        .where(Request.reference == reference)
        .options(
            joinedload(Request.version),
            joinedload(Request.requester).joinedload(Person.unit),
            joinedload(Request.beneficiary).joinedload(Person.unit),
        )
    )
    request = session.scalars(statement).one_or_none()
    if request is None or not may_see(session, actor, request, router):
        raise NotFound(_("There is no such request, or it is not yours to see."))
    return request


def requests_of(
    session: Session, actor: Actor, *, closed: bool = False, before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[RequestLine], int | None]:
    """The actor's requests, made or received by them, the latest first, in one statement.

    `before` is where the page before this one ended; where the next one begins is given too, or None.
    """
    rows = session.execute(
        _MINE,
        {
            "person": actor.person_id,
            "states": list(DONE if closed else OPEN),
            "before": before if before is not None else _HIGHEST,
            "limit": limit + 1,
        },
    ).all()
    zone = ZoneInfo(actor.timezone)
    called = names_of(session, ((row.digest, row.name) for row in rows))
    lines = tuple(
        RequestLine(
            row.reference,
            spoken(row.title),
            called[row.digest],
            row.state.value,
            spoken(row.baton),
            row.submitted_at.astimezone(zone),
            row.beneficiary,
        )
        for row in rows[:limit]
    )
    return lines, rows[limit - 1].number if len(rows) > limit else None


def requests_failed(session: Session, limit: int = 100) -> Sequence[FailedLine]:
    """Requests that stopped for good and wait for an operator, the latest first."""
    rows = session.execute(_FAILED.limit(limit)).all()
    called = names_of(session, ((digest, name) for _ref, _title, digest, name, *_rest in rows))
    return tuple(
        FailedLine(reference, spoken(title), called[digest], requester, spoken(outcome), since)
        for reference, title, digest, _name, requester, outcome, since in rows
    )


def may_see(session: Session, actor: Actor, request: Request, router: Router) -> bool:
    """Whether the actor is one of those whom `request_for` names."""
    if actor.person_id is None:
        return False
    if actor.audit is not None:
        return actor.audit.running and is_in_scope(session, actor, request.id)
    if actor.person_id in {request.requester_id, request.beneficiary_id}:
        return True
    return (
        actor.may(Permission.READ_ALL_REQUESTS)
        or router.may_see(session, request.id, actor.person_id)
        or request.unit_id in units_led_by(session, actor)
    )
