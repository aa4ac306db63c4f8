"""Reading stages and what was decided in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision, Verdict
from approvals.delegation.substitutes import counted_in, principals_of
from approvals.routing.carried import carried_approvals
from approvals.routing.eligible import Eligible
from approvals.routing.matching import Demand
from approvals.routing.model import Stage, StageState
from catalog.requests.model import Request

#: A stage in one of these may still be decided or already was, in favour.
ALIVE = (StageState.OPEN, StageState.APPROVED, StageState.WAITING)


def stages_of(session: Session, request: Request) -> Sequence[Stage]:
    """The stages of the request's current revision in order, as they are now."""
    statement = select(Stage).where(Stage.request_id == request.id, Stage.revision == request.revision)
    return session.scalars(
        statement.order_by(Stage.position, Stage.part).execution_options(populate_existing=True)
    ).all()


def decisions_of(session: Session, request: Request) -> Sequence[Decision]:
    """What was decided on the request's current revision and still counts, in order, after what was carried over to it."""
    statement = select(Decision).where(
        Decision.request_id == request.id,
        Decision.revision == request.revision,
        Decision.voided_at.is_(None),
    )
    rests_on = [one.decision for one in carried_approvals(session, request)]
    return [*rests_on, *session.scalars(statement.order_by(Decision.id))]


def approvals_by_stage(decisions: Sequence[Decision]) -> dict[int, list[Decision]]:
    """The approvals of each stage."""
    found: dict[int, list[Decision]] = {}
    for decision in decisions:
        if decision.verdict is Verdict.APPROVE:
            found.setdefault(decision.stage_id, []).append(decision)
    return found


def still_demanded(
    stages: Sequence[Stage], eligible: Eligible, decisions: Sequence[Decision]
) -> Mapping[int, Demand]:
    """By stage that is open or waiting, how many more must agree and which of them have not decided yet.

    Whoever is stood in for counts with their substitute as one, and stands here for both.
    """
    used = counted_in(decisions)
    approvals = approvals_by_stage(decisions)
    return {
        stage.id: Demand(
            max(stage.quorum - len(approvals.get(stage.id, ())), 0), principals_of(eligible[stage.id]) - used
        )
        for stage in stages
        if stage.state in {StageState.OPEN, StageState.WAITING}
    }
