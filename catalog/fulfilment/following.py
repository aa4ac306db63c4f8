"""What follows from where the steps of a fulfilment stand: the next step, the undoing of one, or the end.

Each step, and each undoing, is a task of its own on the queue of its connector. The task that changes a step sets off
the next one in the same transaction, so that a worker that dies leaves either both or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.orders import enqueue_fulfilment
from catalog.fulfilment.queues import queue_of_step
from catalog.requests.model import Request
from catalog.requests.moves import task_subject
from catalog.requests.timing import goes_at_once
from portal.jobs import enqueue

DO_STEP = "do_step"
UNDO_STEP = "undo_step"
#: Of these one is enough for the whole attempt to be given up.
STOPPED = frozenset({StepState.FAILED, StepState.UNDOING, StepState.REVERTED, StepState.NOT_REVERTED})
#: What may be on the target, and so must be undone.
TO_UNDO = frozenset({StepState.DONE, StepState.APPLIED})


def steps_of(session: Session, request_id: int, revision: int, attempt: int) -> Sequence[Step]:
    """The attempt's steps, in order, as they are in the database now."""
    statement = (
        select(Step)
        .where(Step.request_id == request_id, Step.revision == revision, Step.attempt == attempt)
        .order_by(Step.position)
    )
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def is_stopped(steps: Iterable[Step]) -> bool:
    """Whether nothing more of the attempt is carried out."""
    return any(step.state in STOPPED for step in steps)


def next_to_do(steps: Iterable[Step]) -> Step | None:
    """The first step that is not done."""
    return next((step for step in steps if step.state is not StepState.DONE), None)


def next_to_undo(steps: Sequence[Step]) -> Step | None:
    """The last step that is to be taken back."""
    return next((step for step in reversed(steps) if step.state is StepState.UNDOING), None)


def set_off(session: Session, request: Request, steps: Sequence[Step], *, because: str) -> Step | None:
    """Enqueue what follows; gives the step that is done or undone next, None where only the end is left.

    Of an attempt that is stopped everything that may be on a target is to be undone from now on. `because` is new
    each time that there is a cause, and the same when a task runs again.
    """
    if is_stopped(steps):
        for done in steps:
            if done.state in TO_UNDO:
                done.state = StepState.UNDOING
        kind, step = UNDO_STEP, next_to_undo(steps)
    else:
        kind, step = DO_STEP, next_to_do(steps)
    if step is None:
        enqueue_fulfilment(session, request, steps[0].attempt if steps else 1, because=because)
    else:
        enqueue_step(session, request, step, kind, because=because)
    return step


def enqueue_step(session: Session, request: Request, step: Step, kind: str, *, because: str) -> None:
    """Have the worker of the step's connector do or undo it."""
    enqueue(
        session,
        kind,
        {
            "request_id": request.id,
            "revision": step.revision,
            "attempt": step.attempt,
            "position": step.position,
        },
        queue=queue_of_step(session, step),
        subject=task_subject(request),
        dedupe_key=f"{kind}:{step.id}:{because}",
        first=goes_at_once(request),
    )
