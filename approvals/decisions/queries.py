"""Reading what waits for a person, and what they decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from approvals.decisions.model import Decision, Verdict
from approvals.delegation.in_force import decides_for, stands_in
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.database import Key, UTCDateTime
from portal.identity.actor import Actor
from portal.identity.model import Person

PAGE = 25
LATELY = 10

_requester, _beneficiary = aliased(Person), aliased(Person)


class Waiting(NamedTuple):
    """One request that waits for the person: a line of the inbox. Times are UTC."""

    stage_id: int
    due_at: datetime
    reference: str
    title: str
    offering: str
    stage: str
    requester: str
    beneficiary: str
    for_themselves: bool
    risk: str
    missed_at: datetime | None


class Decided(NamedTuple):
    """One decision that the person made."""

    reference: str
    title: str
    verdict: Verdict
    decided_at: datetime
    state: State
    voided_at: datetime | None


_ME = bindparam("person", type_=Key)
_NOW = bindparam("at", type_=UTCDateTime())


def _counts(person: Any) -> ColumnElement[bool]:
    """Whether this person, or somebody in their place, has decided on the request: one counts once over all stages."""
    return (
        exists()
        .where(
            Decision.request_id == Stage.request_id,
            Decision.revision == Stage.revision,
            or_(Decision.person_id == person, Decision.on_behalf_of_id == person),
        )
        .correlate_except(Decision)
    )


def _waiting_for_me(*columns: Any) -> Select[Any]:
    """Open stages where the person stands, or somebody whom they stand in for, and neither has decided."""
    asked = select(StageApprover.stage_id).where(StageApprover.person_id.in_(decides_for(_ME, _NOW)))
    place = exists().where(
        StageApprover.stage_id == Stage.id,
        StageApprover.replaced_at.is_(None),
        stands_in(StageApprover.person_id, Request.offering_version_id, _ME, _NOW),
        ~_counts(StageApprover.person_id),
    )
    return (
        select(*columns)
        .select_from(Stage)
        .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
        .where(
            # First the few stages of these people by their index; then what is left to be asked of each.
            Stage.id.in_(asked),
            Stage.state == StageState.OPEN,
            Request.state == State.PENDING,
            Request.requester_id != _ME,
            Request.beneficiary_id != _ME,
            Request.editor_id != _ME,
            place,
            ~_counts(_ME),
        )
    )


_COUNT = _waiting_for_me(func.count())
_FIRST = (
    _waiting_for_me(
        Stage.id,
        Stage.due_at,
        Request.reference,
        Request.title,
        OfferingVersion.document["name"].as_string(),
        Stage.name,
        _requester.name,
        _beneficiary.name,
        Request.requester_id == Request.beneficiary_id,
        Request.risk["level"].as_string(),
        Request.promise_missed_at,
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(_requester, _requester.id == Request.requester_id)
    .join(_beneficiary, _beneficiary.id == Request.beneficiary_id)
    .order_by(Stage.due_at, Stage.id)
    .limit(PAGE + 1)
)
_NEXT = _FIRST.where(
    or_(
        Stage.due_at > bindparam("due_at"),
        and_(Stage.due_at == bindparam("due_at"), Stage.id > bindparam("stage_id")),
    )
)
_DECIDED = (
    select(
        Request.reference,
        Request.title,
        Decision.verdict,
        Decision.decided_at,
        Request.state,
        Decision.voided_at,
    )
    .join(Request, Request.id == Decision.request_id)
    .where(Decision.person_id == bindparam("person"))
    .order_by(Decision.id.desc())
    .limit(LATELY)
)


def count_awaiting(session: Session, actor: Actor) -> int:
    """How many requests wait for the actor's decision."""
    return session.scalar(_COUNT, {"person": actor.person_id, "at": now(session)}) or 0


def requests_awaiting(
    session: Session, actor: Actor, *, after: tuple[datetime, int] | None = None
) -> list[Waiting]:
    """What waits for the actor, the oldest promise first; up to PAGE + 1, so that one too many says there is more.

    `after` is the due time and the stage of the last line seen.
    """
    parameters: dict[str, Any] = {"person": actor.person_id, "at": now(session)}
    if after is not None:
        parameters |= {"due_at": after[0], "stage_id": after[1]}
    rows = session.execute(_FIRST if after is None else _NEXT, parameters)
    return [Waiting(*row) for row in rows]


def decided_by(session: Session, actor: Actor) -> list[Decided]:
    """The actor's latest decisions, the newest first."""
    return [Decided(*row) for row in session.execute(_DECIDED, {"person": actor.person_id})]
