"""Orders: the steps that an approved request is due, each with a key that makes it happen once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.fulfilment.model import Step, StepState
from catalog.requests import tags
from catalog.requests.events import RequestApproved
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, get_locked, hand_baton, move, subject_of, task_subject
from catalog.requests.queries import find_id
from catalog.requests.states import Move
from catalog.requests.timing import goes_at_once, must_wait_until
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, NotFound
from portal.core.language import N_, _, say
from portal.identity.actor import Actor
from portal.jobs import enqueue

FULFIL = "fulfil"
#: Who holds the baton while an approved request waits for its time.
THE_WINDOW = N_("The change window")


def on_approved(session: Session, event: RequestApproved) -> None:
    """The last stage agreed: write the steps down and have the worker carry them out."""
    request = get_locked(session, event.request_id)
    place_order(session, request)


def retry(session: Session, actor: Actor, reference: str) -> Request:
    """Carry out a failed request once more, by the approvals that it has; they are checked again first.

    Raises NotFound, and Conflict unless the request is failed and nothing of it is just being undone.
    """
    request_id = find_id(session, reference)
    if request_id is None:
        raise NotFound(_("There is no such request."))
    request = get_locked(session, request_id)
    order_again(session, request)
    record(session, tags.RETRIED, subject=subject_of(request), actor=actor)
    return request


def order_again(session: Session, request: Request) -> Sequence[Step]:
    """Make the next attempt at a failed request, in the caller's transaction; gives its steps. Raises Conflict."""
    undoing = select(Step.id).where(Step.request_id == request.id, Step.state == StepState.UNDOING)
    if session.scalars(undoing.limit(1)).first() is not None:
        raise Conflict(_("What was done for it is just being undone. Try again when that is over."))
    move(session, request, Move.RETRY)
    request.outcome = ""
    return place_order(session, request)


def place_order(session: Session, request: Request) -> Sequence[Step]:
    """Add the steps of the next attempt at the request's sealed plans, and their task; gives the steps."""
    attempt = 1 + latest_attempt(session, request)
    steps = [
        Step(
            request_id=request.id,
            revision=request.revision,
            attempt=attempt,
            position=position,
            name=plan["name"],
            connector=plan["connector"],
            plan=plan,
            key=step_key(request, position, attempt),
            state=StepState.WAITING,
        )
        for position, plan in enumerate(request.plans, start=1)
    ]
    session.add_all(steps)
    opens = must_wait_until(session, request, now(session))
    hand_baton(session, request, THE_PORTAL if opens is None else say(THE_WINDOW), due=opens)
    enqueue_fulfilment(session, request, attempt, run_at=opens)
    return steps


def enqueue_fulfilment(
    session: Session, request: Request, attempt: int, *, run_at: datetime | None = None, because: str = ""
) -> None:
    """Have the worker begin this attempt, or see what follows in it, at once or at `run_at` (UTC).

    Each `because` brings one task of its own.
    """
    when = f":{run_at.isoformat()}" if run_at else f":{because}" if because else ""
    enqueue(
        session,
        FULFIL,
        {"request_id": request.id, "revision": request.revision, "attempt": attempt},
        run_at=run_at,
        subject=task_subject(request),
        dedupe_key=f"{FULFIL}:{request.id}:{request.revision}:{attempt}{when}",
        first=goes_at_once(request),
    )


def step_key(request: Request, position: int, attempt: int) -> str:
    """What the connector knows the step by: it acts at most once on it."""
    return digest(
        {"reference": request.reference, "step": position, "seal": request.seal, "attempt": attempt}
    )


def latest_attempt(session: Session, request: Request) -> int:
    """The number of the last attempt at the present revision; 0 before the first."""
    statement = select(func.max(Step.attempt)).where(
        Step.request_id == request.id, Step.revision == request.revision
    )
    return session.scalar(statement) or 0
