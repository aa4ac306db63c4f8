"""What follows when a stage has decided: the next one opens, the request is approved, or it is rejected."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.routing.messages import tell_approved, tell_rejected, tell_that_it_ended
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.opening import open_next_stage
from approvals.routing.reactions import close_stages
from catalog.requests.events import RequestApproved, RequestRejected
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, hand_baton, move, subject_of
from catalog.requests.states import Move, State
from portal.audit import record
from portal.core.clock import now
from portal.core.events import publish
from portal.core.language import say
from portal.core.settings import Settings
from portal.identity.actor import PORTAL, Actor


def stage_agreed(session: Session, request: Request, stage: Stage, *, settings: Settings) -> None:
    """The quorum is reached: the stage is approved, and the next one opens or the request goes to fulfilment."""
    stage.state = StageState.APPROVED
    stage.closed_at = now(session)
    record(
        session,
        tags.STAGE_APPROVED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"stage": stage.slug, "revision": stage.revision, "quorum": stage.quorum, "seal": request.seal},
    )
    if not open_next_stage(session, request, settings=settings) and request.state is State.PENDING:
        move(session, request, Move.APPROVE)
        request.decided_at = now(session)
        hand_baton(session, request, THE_PORTAL)
        publish(session, RequestApproved(request.id))
        tell_approved(session, request)


def stage_denied(
    session: Session, actor: Actor, request: Request, stage: Stage, *, others: Sequence[Stage], reason: str
) -> None:
    """One person has said no: the request is rejected, every other stage closes, everybody concerned is told."""
    asked = _people_of(
        [stage, *(other for other in others if other.state is not StageState.WAITING)], session
    )
    move(session, request, Move.REJECT)
    request.decided_at = now(session)
    request.outcome = say(
        "%(person)s denied it in the stage “%(stage)s”: %(reason)s",
        person=actor.name,
        stage=stage.name,
        reason=reason,
    )
    stage.state = StageState.REJECTED
    stage.closed_at = now(session)
    record(
        session,
        tags.STAGE_REJECTED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"stage": stage.slug, "revision": stage.revision, "seal": request.seal},
    )
    close_stages(session, request, others, request.outcome)
    publish(session, RequestRejected(request.id))
    tell_rejected(session, request)
    tell_that_it_ended(session, request, asked - {actor.person_id}, request.outcome)


def _people_of(stages: Sequence[Stage], session: Session) -> set[int | None]:
    statement = select(StageApprover.person_id).where(
        StageApprover.stage_id.in_([stage.id for stage in stages])
    )
    return set(session.scalars(statement))
