"""How far a request's route has come, for pages and evidence."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.routing.model import Stage, StageApprover
from catalog.requests.model import Request
from catalog.requests.route import DecisionLine, StageProgress
from portal.identity.model import Person


def progress_of(session: Session, request_id: int) -> tuple[StageProgress, ...]:
    """The stages of the request's current revision with their people and decisions, in three statements."""
    stages = session.scalars(
        select(Stage)
        .join(Request, (Request.id == Stage.request_id) & (Request.revision == Stage.revision))
        .where(Stage.request_id == request_id)
        .order_by(Stage.position)
    ).all()
    names: dict[int, list[str]] = {stage.id: [] for stage in stages}
    lines: dict[int, list[DecisionLine]] = {stage.id: [] for stage in stages}
    approvers = session.execute(
        select(StageApprover.stage_id, Person.name)
        .join(Person, Person.id == StageApprover.person_id)
        .where(StageApprover.stage_id.in_(names))
        .order_by(Person.name, Person.id)
    )
    for stage_id, name in approvers:
        names[stage_id].append(name)
    decisions = session.execute(
        select(Decision, Person.name)
        .join(Person, Person.id == Decision.person_id)
        .where(Decision.stage_id.in_(lines))
        .order_by(Decision.id)
    )
    for decision, name in decisions:
        lines[decision.stage_id].append(
            DecisionLine(
                person=name,
                verdict=decision.verdict.value,
                comment=decision.comment,
                decided_at=decision.decided_at,
                seal=decision.seal,
                voided=decision.voided_at is not None,
            )
        )
    return tuple(
        StageProgress(
            name=stage.name,
            state=stage.state.value,
            quorum=stage.quorum,
            approvers=tuple(names[stage.id]),
            because=stage.because,
            opened_at=stage.opened_at,
            due_at=stage.due_at,
            decisions=tuple(lines[stage.id]),
        )
        for stage in stages
    )
