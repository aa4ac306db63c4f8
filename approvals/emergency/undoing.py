"""Undoing by the inverse: what was found wrong, or was not reviewed in time, is taken back from its targets.

What is live ends as every entitlement does. A step that brought nothing to life is reverted by its connector. A
fulfilment that is still under way is stopped at the step where it stands; the fulfilment itself then undoes what it
had done, waits for people where they must, and fails.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.emergency.closing import get_locked_review, mark_undone, why_undone
from approvals.emergency.debt import UNDOING
from approvals.emergency.model import Review
from catalog.entitlements.ending import end_entitlement
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.carrying import ALREADY_TRUE
from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.ending import fail
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.operators import tell_operators
from catalog.fulfilment.orders import enqueue_fulfilment, latest_attempt
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move, subject_of
from catalog.requests.states import Move, State
from portal.audit import record
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError

_BEGUN = frozenset({StepState.APPLYING, StepState.WAITING_FOR_PEOPLE, StepState.APPLIED})


def undo_unreviewed(job: Job, *, connectors: Connectors) -> None:
    """The task that takes back what a review was closed against. Safe to run again.

    Tasks of one request never run at the same time, so no fulfilment is at work meanwhile. Raises TaskError when a
    target may answer later.
    """
    found = _begin(job)
    if found is None:
        return
    review_id, request_id, state, steps = found
    if state is State.FULFILLING:
        _stop(job, review_id, steps, connectors)
        return
    for step in steps:
        _revert(job, request_id, step, connectors)
    with job.transaction() as session:
        request = get_locked(session, request_id)
        review = get_locked_review(session, review_id)
        if request.state is State.FULFILLED and not live_ones(session, request):
            move(session, request, Move.END)
            record(session, tags.ENDED, subject=subject_of(request), actor=PORTAL)
        settle(session, request, review)
        job.finish(session)


def settle(session: Session, request: Request, review: Review) -> None:
    """Mark the review undone if it is to be and nothing of its request is left, or on its way out, any more."""
    if review.state not in UNDOING or request.state in {State.SCHEDULED, State.FULFILLING}:
        return
    if not live_ones(session, request):
        mark_undone(session, request, review)


def live_ones(session: Session, request: Request) -> Sequence[Entitlement]:
    """What the request brought and that is not gone yet."""
    statement = select(Entitlement).where(
        Entitlement.request_id == request.id, Entitlement.state != EntitlementState.ENDED
    )
    return session.scalars(statement).all()


def _begin(job: Job) -> tuple[int, int, State, Sequence[Step]] | None:
    """End what is live, stop what has not begun; gives the steps that the connectors must take back, the last first."""
    with job.transaction() as session:
        review = session.get_one(Review, job.payload["review_id"])
        request = get_locked(session, review.request_id)
        review = get_locked_review(session, review.id)
        if review.state not in UNDOING or review.undone_at or request.revision != review.revision:
            job.finish(session)
            return None
        why = why_undone(review)
        steps = _steps(session, request)
        if request.state is State.SCHEDULED:
            fail(session, request, why)
            steps = ()
        elif request.state is State.FULFILLED:
            request.outcome = why
            live = live_ones(session, request)
            for entitlement in live:
                if entitlement.state is EntitlementState.LIVE:
                    end_entitlement(session, entitlement, why=why)
            steps = _without_entitlement(session, steps)
        elif request.state is not State.FULFILLING:
            steps = ()
        return review.id, request.id, request.state, steps


def _steps(session: Session, request: Request) -> Sequence[Step]:
    """The steps of the last attempt, the last first."""
    statement = (
        select(Step)
        .where(
            Step.request_id == request.id,
            Step.revision == request.revision,
            Step.attempt == latest_attempt(session, request),
        )
        .order_by(Step.position.desc())
    )
    return session.scalars(statement).all()


def _without_entitlement(session: Session, steps: Sequence[Step]) -> Sequence[Step]:
    """Those that were done and brought nothing to life; what was there before this request is left alone."""
    brought = set(
        session.scalars(
            select(Entitlement.step_id).where(Entitlement.step_id.in_([step.id for step in steps]))
        )
    )
    return [
        step
        for step in steps
        if step.state is StepState.DONE
        and step.id not in brought
        and step.outcome.get("found") != ALREADY_TRUE
    ]


def _revert(job: Job, request_id: int, step: Step, connectors: Connectors) -> None:
    """Have the connector take one step back and write it down; operators are told of one that cannot be."""
    problem = ""
    try:
        connectors.get(step.connector).revert(Plan.from_json(step.plan), step.key)
    except ConnectorError as error:
        if not error.permanent:
            raise TaskError(error.message) from error
        problem = error.message
    with job.transaction() as session:
        request = get_locked(session, request_id)
        row = session.get_one(Step, step.id)
        if problem:
            tell_operators(
                session,
                say("%(reference)s could not be undone", reference=request.reference),
                task="undo_unreviewed",
                reference=request.reference,
                why=problem,
            )
        else:
            row.state = StepState.REVERTED
        record(
            session,
            tags.STEP_NOT_REVERTED if problem else tags.STEP_REVERTED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={"step": row.position, "key": row.key},
            personal={"why": problem} if problem else None,
        )


def _stop(job: Job, review_id: int, steps: Sequence[Step], connectors: Connectors) -> None:
    """Stop a fulfilment where it stands: its next run finds a failed step, and undoes the ones before it."""
    unfinished = [step for step in reversed(steps) if step.state is not StepState.DONE]
    if not unfinished:
        raise TaskError("The fulfilment is about to end; it is undone right after it.")
    stopped = unfinished[0]
    if stopped.state in _BEGUN:
        try:
            connectors.get(stopped.connector).revert(Plan.from_json(stopped.plan), stopped.key)
        except ConnectorError as error:
            if not error.permanent:
                raise TaskError(error.message) from error
    with job.transaction() as session:
        review = session.get_one(Review, review_id)
        request = get_locked(session, review.request_id)
        row = session.get_one(Step, stopped.id)
        if row.state is not StepState.FAILED:
            row.state = StepState.FAILED
            row.error = why_undone(review)
            row.finished_at = now(session)
            record(
                session,
                tags.STEP_FAILED,
                subject=subject_of(request),
                actor=PORTAL,
                facts={"step": row.position, "key": row.key, "drifted": False},
                personal={"why": row.error},
            )
        # With a time of its own, so that it is not taken for the task that was there already.
        enqueue_fulfilment(session, request, row.attempt, run_at=now(session))
        job.finish(session)
