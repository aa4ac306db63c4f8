"""How far a request's route has come, for pages and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select, union
from sqlalchemy.orm import Session, aliased

from approvals.decisions.model import Decision
from approvals.delegation.in_force import stands_in
from approvals.links.model import ApprovalLink
from approvals.routing.model import Stage, StageApprover
from catalog.offerings.emergency import RESERVED
from catalog.requests.model import Request
from catalog.requests.route import DecisionLine, StageProgress
from portal.core.clock import now
from portal.core.language import _
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class Place:
    """One person in one stage, and what they said there, or somebody in their place, whose name is `by`."""

    stage: Stage
    approver: StageApprover
    name: str
    decision: Decision | None
    by: str | None = None


_DECIDER = aliased(Person)


def places_of(session: Session, request_id: int) -> Sequence[Place]:
    """Everybody in the stages of the request's current revision, in one statement, in the order of stage and name."""
    rows = session.execute(
        select(Stage, StageApprover, Person.name, Decision, _DECIDER.name)
        .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
        .join(StageApprover, StageApprover.stage_id == Stage.id)
        .join(Person, Person.id == StageApprover.person_id)
        .outerjoin(
            Decision,
            and_(
                Decision.stage_id == Stage.id,
                func.coalesce(Decision.on_behalf_of_id, Decision.person_id) == StageApprover.person_id,
            ),
        )
        .outerjoin(_DECIDER, _DECIDER.id == Decision.person_id)
        .where(Stage.request_id == request_id)
        .order_by(Stage.position, Stage.part, Person.name, Person.id)
        .execution_options(populate_existing=True)
    )
    return [Place(*row) for row in rows]


def progress_of(session: Session, request_id: int) -> tuple[StageProgress, ...]:
    """The stages of the request's current revision with their people and decisions."""
    return progress_from(places_of(session, request_id))


def progress_from(places: Sequence[Place]) -> tuple[StageProgress, ...]:
    """The stages as pages show them."""
    by_stage: dict[int, list[Place]] = {}
    for place in places:
        by_stage.setdefault(place.stage.id, []).append(place)
    return tuple(
        StageProgress(
            name=stage.name,
            state=stage.state.value,
            quorum=stage.quorum,
            approvers=tuple(place.name for place in there if place.approver.called or place.decision),
            because=stage.because,
            opened_at=stage.opened_at,
            due_at=stage.due_at,
            decisions=_lines(there),
            position=stage.position,
            part=stage.part,
            part_of=stage.part_of,
            carried=stage.quorum == 0 and stage.slug not in RESERVED,
        )
        for there in by_stage.values()
        for stage in (there[0].stage,)
    )


def was_asked(session: Session, request_id: int, person_id: int) -> bool:
    """Whether the person is or was asked to decide the request: in a stage that opened, of any revision.

    Also in the place of somebody, now or when they were sent a link.
    """
    opened = and_(Stage.request_id == request_id, Stage.opened_at.is_not(None))
    stands_there = exists().where(
        StageApprover.stage_id == Stage.id,
        Request.id == Stage.request_id,
        opened,
        stands_in(StageApprover.person_id, Request.offering_version_id, person_id, now(session)),
    )
    was_sent = exists().where(ApprovalLink.stage_id == Stage.id, ApprovalLink.person_id == person_id, opened)
    return bool(session.scalar(select(or_(stands_there, was_sent))))


def asked_of(person_id: int, at: datetime) -> Select[Any]:
    """As a subquery, what `was_asked` says of one request: all that the person is or was asked to decide."""
    stands_there = (
        select(Stage.request_id)
        .join(StageApprover, StageApprover.stage_id == Stage.id)
        .join(Request, Request.id == Stage.request_id)
        .where(
            Stage.opened_at.is_not(None),
            stands_in(StageApprover.person_id, Request.offering_version_id, person_id, at),
        )
    )
    was_sent = (
        select(Stage.request_id)
        .join(ApprovalLink, ApprovalLink.stage_id == Stage.id)
        .where(Stage.opened_at.is_not(None), ApprovalLink.person_id == person_id)
    )
    either = union(stands_there, was_sent).subquery()
    return select(next(iter(either.c)))


def _lines(places: Sequence[Place]) -> tuple[DecisionLine, ...]:
    """What was decided, in the order in which it was."""
    decided = [(place.decision, _who(place)) for place in places if place.decision is not None]
    return tuple(
        DecisionLine(
            person=name,
            verdict=decision.verdict.value,
            comment=decision.comment,
            decided_at=decision.decided_at,
            seal=decision.seal,
            voided=decision.voided_at is not None,
        )
        for decision, name in sorted(decided, key=lambda pair: pair[0].id)
    )


def _who(place: Place) -> str:
    """Both names, where somebody decided in another's place."""
    if place.decision is None or place.decision.on_behalf_of_id is None:
        return place.name
    return _("%(substitute)s in the place of %(name)s", substitute=place.by or "", name=place.name)
