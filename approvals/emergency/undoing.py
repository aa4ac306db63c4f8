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
#: What the fulfilment need not be stopped at.
_PAST = frozenset({StepState.DONE, StepState.UNDOING, StepState.REVERTED, StepState.NOT_REVERTED})
#: In a step's outcome: its connector said that it cannot be taken back.
_STAYS = "not-reverted"


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
    problems = [_revert(job, request_id, step, connectors) for step in steps]
    stays = next((problem for problem in problems if problem), "")
    with job.transaction() as session:
        request = get_locked(session, request_id)
        review = get_locked_review(session, review_id)
        if request.state is State.FULFILLED and not stays and not live_ones(session, request):
            move(session, request, Move.END)
            record(session, tags.ENDED, subject=subject_of(request), actor=PORTAL)
        settle(session, request, review)
        if not stays:
            job.finish(session)
    if stays:
        # Set aside, so that an operator who has put the target right can have it tried again.
        raise TaskError(stays, permanent=True)


def settle(session: Session, request: Request, review: Review) -> None:
    """Mark the review undone if it is to be and nothing of its request is left, or on its way out, any more."""
    if review.state not in UNDOING or request.state in {State.SCHEDULED, State.FULFILLING}:
        return
    if not live_ones(session, request) and not _left_behind(session, request):
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
        if request.state is State.FULFILLING:
            return review.id, request.id, request.state, _steps(session, request)
        if request.state is State.SCHEDULED:
            fail(session, request, why)
        elif request.state in {State.FULFILLED, State.ENDED}:
            request.outcome = why
        for entitlement in live_ones(session, request):
            if entitlement.state is EntitlementState.LIVE:
                end_entitlement(session, entitlement, why=why)
        return review.id, request.id, request.state, _left_behind(session, request)


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


def _left_behind(session: Session, request: Request) -> Sequence[Step]:
    """What is on a target by a step, the last first; what lives ends by itself, what was there before stays.

    That are the steps that were done and brought nothing to life, and those that could not be taken back. Of the
    failed steps of an attempt the last one is its cause: nothing of it is there, unless its connector said so.
    """
    statement = (
        select(Step)
        .where(Step.request_id == request.id, Step.revision == request.revision)
        .order_by(Step.attempt.desc(), Step.position.desc())
    )
    steps = session.scalars(statement).all()
    brought = set(
        session.scalars(
            select(Entitlement.step_id).where(Entitlement.step_id.in_([step.id for step in steps]))
        )
    )
    left: list[Step] = []
    caused: set[int] = set()
    for step in steps:
        there = step.state in {StepState.DONE, StepState.NOT_REVERTED}
        if step.state is StepState.FAILED:
            there = step.attempt in caused or _STAYS in step.outcome
            caused.add(step.attempt)
        if there and step.id not in brought and step.outcome.get("found") != ALREADY_TRUE:
            left.append(step)
    return left


def _revert(job: Job, request_id: int, step: Step, connectors: Connectors) -> str:
    """Have the connector take one step back and write it down; gives why it cannot be, which operators are told."""
    problem = _take_back(step, connectors)
    with job.transaction() as session:
        request = get_locked(session, request_id)
        row = session.get_one(Step, step.id)
        if problem:
            _write_that_it_stays(session, request, row, problem)
        else:
            row.state = StepState.REVERTED
            record(
                session,
                tags.STEP_REVERTED,
                subject=subject_of(request),
                actor=PORTAL,
                facts={"step": row.position, "key": row.key},
            )
    return problem


def _take_back(step: Step, connectors: Connectors) -> str:
    """Revert it at its target; gives why it cannot be. Raises TaskError when the target may answer later."""
    try:
        connectors.get(step.connector).revert(Plan.from_json(step.plan), step.key)
    except ConnectorError as error:
        if not error.permanent:
            raise TaskError(error.message) from error
        return error.message
    return ""


def _write_that_it_stays(session: Session, request: Request, row: Step, problem: str) -> None:
    """Once, however often it is tried."""
    if _STAYS in row.outcome:
        return
    row.outcome = {**row.outcome, _STAYS: True}
    record(
        session,
        tags.STEP_NOT_REVERTED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"step": row.position, "key": row.key},
        personal={"why": problem},
    )
    tell_operators(
        session,
        say("%(reference)s could not be undone", reference=request.reference),
        task="undo_unreviewed",
        reference=request.reference,
        why=problem,
    )


def _stop(job: Job, review_id: int, steps: Sequence[Step], connectors: Connectors) -> None:
    """Stop a fulfilment where it stands: its next run finds a failed step, and undoes the ones before it."""
    unfinished = [step for step in reversed(steps) if step.state not in _PAST]
    if not unfinished:
        raise TaskError("The fulfilment is about to end; it is undone right after it.")
    stopped = unfinished[0]
    problem = ""
    if stopped.state in _BEGUN and stopped.outcome.get("found") != ALREADY_TRUE:
        problem = _take_back(stopped, connectors)
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
        if problem:
            _write_that_it_stays(session, request, row, problem)
        # With a time of its own, so that it is not taken for the task that was there already.
        enqueue_fulfilment(session, request, row.attempt, run_at=now(session))
        job.finish(session)
