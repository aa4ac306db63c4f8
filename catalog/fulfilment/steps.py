"""The tasks of single steps, `do_step` and `undo_step`, each on the queue of the step's connector.

Each may be cut off after any statement and run again. What is written down is always behind or equal to what
the target has, never ahead of it; an unknown outcome is found out by reading the target.
"""

from __future__ import annotations

import contextlib

from sqlalchemy.orm import Session

from catalog.fulfilment.carrying import carry_out, mark_failed
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.ending import refuse_tampered
from catalog.fulfilment.following import DO_STEP, STOPPED, enqueue_step
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.planning import StepOrder, orders_of_request
from catalog.fulfilment.queues import queue_of_step
from catalog.fulfilment.undoing import undo
from catalog.fulfilment.work import HandedOver, OnBoundary, Work, go_on
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.seal import seal
from catalog.requests.states import State
from portal.core.errors import PortalError, Unavailable
from portal.jobs import Job, TaskError


def do_step(job: Job, *, connectors: Connectors, on_boundary: OnBoundary = go_on) -> None:
    """Carry out one step exactly as sealed, or mark it failed. Safe to run again after any of its parts."""
    work = Work(job, connectors, on_boundary)
    with contextlib.suppress(HandedOver):
        _do(work)


def undo_step(job: Job, *, connectors: Connectors, on_boundary: OnBoundary = go_on) -> None:
    """Take one step back from its target, or say that it cannot be. Safe to run again after any of its parts."""
    work = Work(job, connectors, on_boundary)
    with work.job.reading() as session:
        step = work.step(session)
    if step.state is StepState.UNDOING:
        with contextlib.suppress(HandedOver):
            undo(work, step)


def is_as_sealed(session: Session, work: Work, request: Request) -> bool:
    """Whether the seal, computed again, is the approved one, and the steps are the sealed plans."""
    return seal(request) == request.seal and [step.plan for step in work.steps(session)] == request.plans


def _do(work: Work) -> None:
    step, order = _begin(work)
    if step is None:
        return
    work.boundary(f"step {step.position}: begun")
    carry_out(work, step, order)


def _begin(work: Work) -> tuple[Step | None, StepOrder | None]:
    """The step, if it is its turn and everything is as it was sealed, and what the request asks of it today."""
    try:
        with work.job.transaction() as session:
            request = get_locked(session, work.request_id)
            step = work.step(session)
            if not _is_due(session, work, request, step):
                work.job.finish(session)
                return None, None
            if queue_of_step(session, step) != work.job.settings.queue:
                # QUEUES was changed since: only the connector's own worker has what it needs.
                enqueue_step(session, request, step, DO_STEP, because=f"{work.because}:moved")
                work.job.finish(session)
                return None, None
            if not is_as_sealed(session, work, request):
                refuse_tampered(session, request)
                work.job.finish(session)
                return None, None
            orders = orders_of_request(session, request)
            return step, orders[step.position - 1] if step.position <= len(orders) else None
    except Unavailable as error:
        raise TaskError(error.sentence) from error
    except PortalError as error:
        # Who was to receive it, or what it was made with, is no longer there: preparing again will say so.
        why = error.sentence
    with work.job.reading() as session:
        step = work.step(session)
    mark_failed(work, step, why, drifted=True)
    return None, None


def _is_due(session: Session, work: Work, request: Request, step: Step) -> bool:
    """Whether the attempt goes on, the steps before this one are done, and this one is not."""
    if request.state is not State.FULFILLING or not work.is_current(session, request):
        return False
    steps = work.steps(session)
    if any(other.state in STOPPED for other in steps) or step.state is StepState.DONE:
        return False
    return all(other.state is StepState.DONE for other in steps[: step.position - 1])
