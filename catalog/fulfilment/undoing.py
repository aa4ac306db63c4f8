"""Undoing one step: reverted at its target and written down, or said to be there still."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.ending import end_with_step
from catalog.fulfilment.carrying import ALREADY_TRUE
from catalog.fulfilment.connectors.contract import ConnectorError, ConnectorPending, Plan
from catalog.fulfilment.following import UNDO_STEP, enqueue_step
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.orders import enqueue_fulfilment, latest_attempt
from catalog.fulfilment.work import Work, hand_over, try_again
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import OPERATORS, get_locked, hand_baton, subject_of
from catalog.requests.states import State
from portal.audit import record
from portal.identity.actor import PORTAL


def undo(work: Work, step: Step) -> None:
    """Take the step back and set off what follows; one that cannot be undone is marked so.

    What was there before this request came is left alone. Raises TaskError when the target may answer later,
    HandedOver when people must act first.
    """
    problem = _revert(work, step)
    work.boundary(f"step {step.position}: reverted")
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = work.step(session)
        if row.state is StepState.UNDOING:
            row.state = StepState.NOT_REVERTED if problem else StepState.REVERTED
            row.error = problem or row.error
            if not problem:
                end_with_step(session, request, row)
            record(
                session,
                tags.STEP_NOT_REVERTED if problem else tags.STEP_REVERTED,
                subject=subject_of(request),
                actor=PORTAL,
                facts={"step": row.position, "key": row.key},
                personal={"why": problem} if problem else None,
            )
        after_undoing(session, request, because=work.because)
        work.job.finish(session)
    work.boundary(f"step {step.position}: undone")


def after_undoing(session: Session, request: Request, *, because: str) -> None:
    """What follows one that is undone: the next, or the end of the fulfilment, or nothing.

    An operator may have had earlier attempts of a failed request undone, so all of them are looked at.
    """
    session.flush()
    statement = (
        select(Step)
        .where(Step.request_id == request.id, Step.state == StepState.UNDOING)
        .order_by(Step.revision.desc(), Step.attempt.desc(), Step.position.desc())
        .limit(1)
    )
    following = session.scalars(statement).first()
    if following is not None:
        enqueue_step(session, request, following, UNDO_STEP, because=because)
    elif request.state is State.FULFILLING:
        enqueue_fulfilment(session, request, latest_attempt(session, request), because=because)
    elif request.state is State.FAILED:
        hand_baton(session, request, OPERATORS)


def _revert(work: Work, step: Step) -> str:
    """Why it cannot be undone; empty when it is."""
    if step.outcome.get("found") == ALREADY_TRUE:
        return ""
    try:
        work.connector(step).revert(Plan.from_json(step.plan), step.key)
    except ConnectorPending as pending:
        raise hand_over(work, step, pending, undoing=True) from pending
    except ConnectorError as error:
        if not error.permanent:
            raise try_again(error) from error
        return error.message
    return ""
