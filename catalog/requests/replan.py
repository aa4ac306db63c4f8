"""Preparing again: every approval so far is void, and the plan, the risk, the route and the seal are made anew."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.requests.events import RequestReplanned
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, hand_baton, move, task_subject
from catalog.requests.states import Move
from portal.core.events import publish
from portal.jobs import enqueue

PREPARE = "prepare"


def replan(session: Session, request: Request, why: str) -> None:
    """Void what was agreed and prepare the request again; `why` is shown to requester and approvers.

    Raises Conflict where the request cannot go back.
    """
    move(session, request, Move.REPLAN)
    request.outcome = why
    # Approvals are void in this same transaction: nobody can act on the old seal meanwhile.
    publish(session, RequestReplanned(request.id, why))
    request.seal = ""
    request.sealed_at = None
    request.decided_at = None
    enqueue_prepare(session, request)


def enqueue_prepare(session: Session, request: Request) -> None:
    """Have the worker prepare the request's next revision."""
    hand_baton(session, request, THE_PORTAL)
    enqueue(
        session,
        PREPARE,
        {"request_id": request.id, "revision": request.revision},
        subject=task_subject(request),
        dedupe_key=f"{PREPARE}:{request.id}:{request.revision}",
    )
