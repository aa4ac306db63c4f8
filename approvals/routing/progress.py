"""How far a request's route has come, for pages and evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import exists, select
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
    numbers = [stage.id for stage in stages]
    return progress_from(stages, approvers_of(session, numbers), named_decisions_of(session, numbers))


def approvers_of(session: Session, stage_ids: Collection[int]) -> Sequence[tuple[StageApprover, str]]:
    """The people of these stages with their names, in the order of names."""
    statement = (
        select(StageApprover, Person.name)
        .join(Person, Person.id == StageApprover.person_id)
        .where(StageApprover.stage_id.in_(stage_ids))
        .order_by(Person.name, Person.id)
    )
    return [(approver, name) for approver, name in session.execute(statement)]


def named_decisions_of(session: Session, stage_ids: Collection[int]) -> Sequence[tuple[Decision, str]]:
    """What was decided in these stages, with the names of who did, in order."""
    statement = (
        select(Decision, Person.name)
        .join(Person, Person.id == Decision.person_id)
        .where(Decision.stage_id.in_(stage_ids))
        .order_by(Decision.id)
    )
    return [(decision, name) for decision, name in session.execute(statement)]


def progress_from(
    stages: Sequence[Stage],
    approvers: Sequence[tuple[StageApprover, str]],
    decisions: Sequence[tuple[Decision, str]],
) -> tuple[StageProgress, ...]:
    """The stages as pages show them."""
    names: dict[int, list[str]] = {stage.id: [] for stage in stages}
    lines: dict[int, list[DecisionLine]] = {stage.id: [] for stage in stages}
    for approver, name in approvers:
        names[approver.stage_id].append(name)
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
