"""The `fulfil` task: check the seal and the approvals, set off the first step, and end what its steps have done.

The steps between are tasks of their own (catalog.fulfilment.steps); the last of them has this one run again.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.elsewhere.answer import answer_call
from catalog.fulfilment.elsewhere.ask import ASK
from catalog.fulfilment.ending import end_badly, end_well, refuse_tampered, stop_and_replan
from catalog.fulfilment.failures.looking import LOOK, read_by_hand
from catalog.fulfilment.following import DO_STEP, UNDO_STEP, is_stopped, next_to_do, set_off
from catalog.fulfilment.model import StepState
from catalog.fulfilment.orders import FULFIL, THE_WINDOW, enqueue_fulfilment
from catalog.fulfilment.planning import orders_of_request
from catalog.fulfilment.steps import do_step, is_as_sealed, undo_step
from catalog.fulfilment.work import OnBoundary, Work, go_on
from catalog.requests import tags
from catalog.requests.events import FulfilmentStarting
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, hand_baton, move, subject_of
from catalog.requests.states import Move, State
from catalog.requests.timing import must_wait_until
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, PortalError, Unavailable
from portal.core.events import publish
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import Handlers, Job, TaskError

__all__ = ["FULFIL", "do_step", "fulfil", "handlers", "undo_step"]

#: What a stopped fulfilment must still undo before it ends.
_UNFINISHED = frozenset({StepState.DONE, StepState.APPLIED, StepState.UNDOING})


def handlers(connectors: Connectors, on_boundary: OnBoundary = go_on) -> Handlers:
    """Every task that connectors carry out a request by; `on_boundary` is told wherever a worker may die."""
    kinds = {FULFIL: fulfil, DO_STEP: do_step, UNDO_STEP: undo_step}
    return {
        **{kind: partial(run, connectors=connectors, on_boundary=on_boundary) for kind, run in kinds.items()},
        ASK: partial(answer_call, connectors=connectors),
        LOOK: partial(read_by_hand, connectors=connectors),
    }


def fulfil(job: Job, *, connectors: Connectors, on_boundary: OnBoundary = go_on) -> None:
    """See to it that an approved request is carried out exactly as sealed, or stopped. Safe to run again."""
    work = Work(job, connectors, on_boundary)
    work.boundary("claimed")
    if not _begin(work):
        return
    work.boundary("started")
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        if not _is_due(session, work, request):
            work.job.finish(session)
            return
        ended = _go_on(session, work, request)
        work.job.finish(session)
    work.boundary(ended or "set off")


def _go_on(session: Session, work: Work, request: Request) -> str:
    """Set off the next step, or its undoing; where neither is left, end it, and say how."""
    steps = work.steps(session)
    if not is_stopped(steps) and next_to_do(steps) is None:
        end_well(session, request, steps)
        return "completed"
    if is_stopped(steps) and not any(step.state in _UNFINISHED for step in steps):
        end_badly(session, request, steps)
        return "ended"
    set_off(session, request, steps, because=work.because)
    return ""


def _begin(work: Work) -> bool:
    """Check the seal and the approvals, and start. False when there is nothing to do any more."""
    try:
        with work.job.transaction() as session:
            request = get_locked(session, work.request_id)
            if not _is_due(session, work, request):
                return False
            if not is_as_sealed(session, work, request):
                refuse_tampered(session, request)
                return False
            if request.state is State.SCHEDULED and _waits(session, work, request):
                return False
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
                # Whether whoever receives it is still there is found out before anything is done.
                orders_of_request(session, request)
            return True
    except Unavailable as error:
        raise TaskError(error.sentence) from error
    except Conflict as conflict:
        why = conflict.sentence
    except PortalError as error:
        # Who was to receive it, or what it was made with, is no longer there: preparing again will say so.
        why = error.sentence
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        if _is_due(session, work, request):
            stop_and_replan(session, request, why)
    return False


def _is_due(session: Session, work: Work, request: Request) -> bool:
    return request.state in {State.SCHEDULED, State.FULFILLING} and work.is_current(session, request)


def _waits(session: Session, work: Work, request: Request) -> bool:
    """Whether the change window has closed meanwhile; then the task comes again when the next one opens."""
    opens = must_wait_until(session, request, now(session))
    if opens is None:
        return False
    hand_baton(session, request, say(THE_WINDOW), due=opens)
    enqueue_fulfilment(session, request, work.attempt, run_at=opens)
    work.job.finish(session)
    return True
