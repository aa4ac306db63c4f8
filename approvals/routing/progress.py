"""How far a request's route has come, for pages and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.routing.model import Stage, StageApprover
from catalog.requests.model import Request
from catalog.requests.route import DecisionLine, StageProgress
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class Place:
    """One person in one stage, and what they said there."""

    stage: Stage
    approver: StageApprover
    name: str
    decision: Decision | None


def places_of(session: Session, request_id: int) -> Sequence[Place]:
    """Everybody in the stages of the request's current revision, in one statement, in the order of stage and name."""
    rows = session.execute(
        select(Stage, StageApprover, Person.name, Decision)
        .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
        .join(StageApprover, StageApprover.stage_id == Stage.id)
        .join(Person, Person.id == StageApprover.person_id)
        .outerjoin(
            Decision,
            and_(Decision.stage_id == Stage.id, Decision.person_id == StageApprover.person_id),
        )
        .where(Stage.request_id == request_id)
        .order_by(Stage.position, Person.name, Person.id)
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
            approvers=tuple(place.name for place in there),
            because=stage.because,
            opened_at=stage.opened_at,
            due_at=stage.due_at,
            decisions=_lines(there),
        )
        for there in by_stage.values()
        for stage in (there[0].stage,)
    )


def was_asked(session: Session, request_id: int, person_id: int) -> bool:
    """Whether the person is or was asked to decide the request: in a stage that opened, of any revision."""
    statement = select(
        exists().where(
            StageApprover.stage_id == Stage.id,
            StageApprover.person_id == person_id,
            Stage.request_id == request_id,
            Stage.opened_at.is_not(None),
        )
    )
    return bool(session.scalar(statement))


def _lines(places: Sequence[Place]) -> tuple[DecisionLine, ...]:
    """What was decided, in the order in which it was."""
    decided = [(place.decision, place.name) for place in places if place.decision is not None]
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
