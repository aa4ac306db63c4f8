"""Reading what waits for a person, and what they decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from approvals.decisions.filters import Filter
from approvals.decisions.model import CardOpening, Decision, Reassignment, Verdict
from approvals.delegation.in_force import decides_for, stands_in
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.database import Key, UTCDateTime
from portal.identity.actor import Actor
from portal.identity.model import Person, Unit

PAGE = 25
LATELY = 10
#: More than this is not counted: the count stands on every page, and nobody reads the difference.
MOST_COUNTED = 100
#: So many of those that wait say what the list can be filtered by.
_MOST_CHOICES = 500

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
    #: The request's seal, and whether the person has been shown its card under it.
    seal: str
    seen: bool
    #: Whether the requester has been asked something and has not answered.
    asked: bool
    #: Of the offering's version.
    digest: str


class Choice(NamedTuple):
    """What the inbox can be filtered by: an offering and a unit of something that waits, by slug and name."""

    offering: str
    offering_name: str
    unit: str
    unit_name: str
    #: Of the offering's version.
    digest: str


class Demanded(NamedTuple):
    """What deciding in one open stage demands of the sign-in."""

    reference: str
    risk: str
    acr: str


class Decided(NamedTuple):
    """One decision that the person made."""

    reference: str
    title: str
    verdict: Verdict
    decided_at: datetime
    state: State
    voided_at: datetime | None


EVERYTHING = Filter()
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
    left = exists().where(Reassignment.stage_id == Stage.id, Reassignment.from_id == _ME)
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
            ~left,
        )
    )


_SOME = _waiting_for_me(Stage.id.label("stage")).limit(MOST_COUNTED).subquery()
_COUNT = select(func.count()).select_from(_SOME)
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
        Request.seal,
        func.coalesce(CardOpening.seal == Request.seal, false()),
        Request.paused_since.is_not(None),
        OfferingVersion.digest,
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(_requester, _requester.id == Request.requester_id)
    .join(_beneficiary, _beneficiary.id == Request.beneficiary_id)
    .outerjoin(CardOpening, and_(CardOpening.request_id == Request.id, CardOpening.person_id == _ME))
    .order_by(Stage.due_at, Stage.id)
    .limit(PAGE + 1)
)
_NEXT = _FIRST.where(
    or_(
        Stage.due_at > bindparam("due_at"),
        and_(Stage.due_at == bindparam("due_at"), Stage.id > bindparam("stage_id")),
    )
)
_PART = (
    _waiting_for_me(Request.offering_version_id.label("version"), Request.unit_id.label("unit"))
    .limit(_MOST_CHOICES)
    .subquery()
)
_CHOICES = (
    select(
        Offering.slug,
        OfferingVersion.document["name"].as_string(),
        Unit.slug,
        Unit.name,
        OfferingVersion.digest,
    )
    .select_from(_PART)
    .join(OfferingVersion, OfferingVersion.id == _PART.c.version)
    .join(Offering, Offering.id == OfferingVersion.offering_id)
    .join(Unit, Unit.id == _PART.c.unit)
    .distinct()
)
_DEMANDED = _waiting_for_me(Request.reference, Request.risk["level"].as_string(), Stage.acr).where(
    Request.reference.in_(bindparam("references", expanding=True))
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
    """How many requests wait for the actor's decision; MOST_COUNTED stands for that many or more."""
    return session.scalar(_COUNT, {"person": actor.person_id, "at": now(session)}) or 0


def requests_awaiting(
    session: Session,
    actor: Actor,
    *,
    after: tuple[datetime, int] | None = None,
    only: Filter = EVERYTHING,
) -> list[Waiting]:
    """What waits for the actor, the oldest promise first; up to PAGE + 1, so that one too many says there is more.

    `after` is the due time and the stage of the last line seen.
    """
    at = now(session)
    parameters: dict[str, Any] = {"person": actor.person_id, "at": at}
    if after is not None:
        parameters |= {"due_at": after[0], "stage_id": after[1]}
    statement = _FIRST if after is None else _NEXT
    rows = session.execute(
        statement.where(*only.conditions(at=at, timezone=actor.timezone))
        if only != EVERYTHING
        else statement,
        parameters,
    )
    return [Waiting(*row) for row in rows]


def choices_for(session: Session, actor: Actor) -> list[Choice]:
    """The offerings and units of what waits for the actor, each pair once."""
    rows = session.execute(_CHOICES, {"person": actor.person_id, "at": now(session)})
    return [Choice(*row) for row in rows]


def demanded_by(session: Session, actor: Actor, references: Sequence[str]) -> list[Demanded]:
    """What deciding these requests demands of the actor's sign-in, for each open stage that waits for them."""
    rows = session.execute(
        _DEMANDED, {"person": actor.person_id, "at": now(session), "references": list(references)}
    )
    return [Demanded(*row) for row in rows]


def decided_by(session: Session, actor: Actor) -> list[Decided]:
    """The actor's latest decisions, the newest first."""
    return [Decided(*row) for row in session.execute(_DECIDED, {"person": actor.person_id})]
