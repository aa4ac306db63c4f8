"""Reading requests: by reference, by who may see them, and page by page."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.requests.model import Request
from catalog.requests.route import Router
from catalog.requests.states import CLOSED, State
from portal.core.errors import NotFound
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

PAGE = 25
OPEN = tuple(state for state in State if state not in CLOSED and state is not State.FULFILLED)
DONE = (*CLOSED, State.FULFILLED)


def find_id(session: Session, reference: str) -> int | None:
    """The number by which the database knows the reference."""
    return session.scalar(select(Request.id).where(Request.reference == reference))


def request_for(session: Session, actor: Actor, reference: str, router: Router) -> Request:
    """The request, if the actor may see it: requester, beneficiary, its approvers, and roles that read all.

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
    if request is None or not _may_see(session, actor, request, router):
        raise NotFound("There is no such request, or it is not yours to see.")
    return request


def requests_of(
    session: Session, actor: Actor, *, closed: bool = False, before: int | None = None, limit: int = PAGE
) -> Sequence[Request]:
    """The actor's requests, for themselves or received, the latest first; `before` is the last number seen.

    One more than `limit` is given when there are more.
    """
    statement = (
        select(Request)
        .where(
            or_(Request.requester_id == actor.person_id, Request.beneficiary_id == actor.person_id),
            Request.state.in_(DONE if closed else OPEN),
        )
        .options(joinedload(Request.version), joinedload(Request.beneficiary))
        .order_by(Request.number.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(Request.number < before)
    return session.scalars(statement).all()


def requests_failed(session: Session, limit: int = 100) -> Sequence[Request]:
    """Requests that stopped for good and wait for an operator, the latest first."""
    statement = (
        select(Request)
        .where(Request.state == State.FAILED)
        .options(joinedload(Request.version), joinedload(Request.requester))
        .order_by(Request.number.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def _may_see(session: Session, actor: Actor, request: Request, router: Router) -> bool:
    if actor.person_id is None:
        return False
    if actor.person_id in {request.requester_id, request.beneficiary_id}:
        return True
    return actor.may(Permission.READ_ALL_REQUESTS) or router.may_see(session, request.id, actor.person_id)
