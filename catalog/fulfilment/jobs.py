"""The `fulfil` task: check the seal, carry out each step once, and say that it is done.

It may be cut off after any statement and run again. What is written down is always behind or equal to what
the target has, never ahead of it; an unknown outcome is found out by reading the target.
"""

from __future__ import annotations

import contextlib

from sqlalchemy.orm import Session

from catalog.fulfilment.carrying import carry_out
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.effects import end_what_was_removed
from catalog.fulfilment.ending import fail, stop_and_replan, unwind
from catalog.fulfilment.model import StepState
from catalog.fulfilment.orders import FULFIL, THE_WINDOW, enqueue_fulfilment
from catalog.fulfilment.planning import StepOrder, orders_of_request
from catalog.fulfilment.work import HandedOver, OnBoundary, Work, go_on
from catalog.requests import tags
from catalog.requests.events import FulfilmentStarting, RequestFulfilled
from catalog.requests.model import Request
from catalog.requests.moves import drop_baton, get_locked, hand_baton, move, subject_of
from catalog.requests.seal import seal
from catalog.requests.states import Move, State
from catalog.requests.telling import tell_requester
from catalog.requests.timing import must_wait_until
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, PortalError, Unavailable
from portal.core.events import publish
from portal.core.language import N_, say
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError

__all__ = ["FULFIL", "fulfil"]

TAMPERED = N_(
    "What is stored for this request is not what was approved, so nothing was carried out. "
    "The operators have been told."
)


def fulfil(job: Job, *, connectors: Connectors, on_boundary: OnBoundary = go_on) -> None:
    """Carry out an approved request exactly as sealed, or stop. Safe to run again after any of its steps."""
    with contextlib.suppress(HandedOver):
        _fulfil(Work(job, connectors, on_boundary))


def _fulfil(work: Work) -> None:
    work.boundary("claimed")
    orders = _begin(work)
    if orders is None:
        return
    work.boundary("started")
    for step in work.read_steps():
        if step.state in {StepState.FAILED, StepState.REVERTED}:
            break  # an earlier run had stopped here and was cut off while it undid the rest
        if step.state is StepState.DONE:
            continue
        order = orders[step.position - 1] if step.position <= len(orders) else None
        if not carry_out(work, step, order):
            break
    else:
        _complete(work)
        return
    unwind(work)


def _begin(work: Work) -> tuple[StepOrder, ...] | None:
    """Check the seal and the approvals, and start. None when there is nothing to do any more."""
    try:
        with work.job.transaction() as session:
            request = get_locked(session, work.request_id)
            if not _is_due(work, request):
                return None
            if not _is_as_sealed(session, work, request):
                _refuse_tampered(session, request)
                return None
            if request.state is State.SCHEDULED and _waits(session, work, request):
                return None
            if request.state is State.SCHEDULED:
                publish(session, FulfilmentStarting(request.id))
                move(session, request, Move.START)
                record(
                    session,
                    tags.FULFILMENT_STARTED,
                    subject=subject_of(request),
                    actor=PORTAL,
                    facts={"seal": request.seal, "attempt": work.attempt},
                )
            return orders_of_request(session, request)
    except Unavailable as error:
        raise TaskError(error.sentence) from error
    except Conflict as conflict:
        why = conflict.sentence
    except PortalError as error:
        # Who was to receive it, or what it was made with, is no longer there: preparing again will say so.
        why = error.sentence
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        if _is_due(work, request):
            stop_and_replan(session, request, why)
    return None


def _is_due(work: Work, request: Request) -> bool:
    return request.revision == work.revision and request.state in {State.SCHEDULED, State.FULFILLING}


def _waits(session: Session, work: Work, request: Request) -> bool:
    """Whether the change window has closed meanwhile; then the task comes again when the next one opens."""
    opens = must_wait_until(session, request, now(session))
    if opens is None:
        return False
    hand_baton(session, request, say(THE_WINDOW), due=opens)
    enqueue_fulfilment(session, request, work.attempt, run_at=opens)
    work.job.finish(session)
    return True


def _is_as_sealed(session: Session, work: Work, request: Request) -> bool:
    """Whether the seal, computed again, is the approved one, and the steps are the sealed plans."""
    steps = work.steps(session)
    return seal(request) == request.seal and [step.plan for step in steps] == request.plans


def _refuse_tampered(session: Session, request: Request) -> None:
    record(
        session,
        tags.SEAL_MISMATCH,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"sealed": request.seal, "computed": seal(request)},
    )
    fail(session, request, say(TAMPERED))


def _complete(work: Work) -> None:
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        move(session, request, Move.COMPLETE)
        request.fulfilled_at = now(session)
        drop_baton(request)
        end_what_was_removed(session, request, list(work.steps(session)), work.connectors)
        record(
            session,
            tags.FULFILLED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={"seal": request.seal, "steps": len(request.plans)},
        )
        publish(session, RequestFulfilled(request.id))
        tell_requester(session, request, "request_fulfilled")
        work.job.finish(session)
    work.boundary("completed")
