"""What emergencies do when something happens to a request, in the same transaction (wired in portal.wiring)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.emergency.closing import close, enqueue_undoing, find_review, get_locked_review
from approvals.emergency.debt import UNDOING
from approvals.emergency.model import Cause, Review, ReviewState
from approvals.emergency.opening import open_review
from approvals.emergency.seats import ordinary_seats
from approvals.emergency.undoing import settle
from approvals.routing.stages import decisions_of
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.model import Step
from catalog.fulfilment.orders import latest_attempt
from catalog.offerings.emergency import COMMITTEE
from catalog.offerings.queries import document_of
from catalog.requests.events import (
    EntitlementEnded,
    FulfilmentStarting,
    RequestApproved,
    RequestFailed,
    RequestRejected,
    RequestReplanned,
    RequestWithdrawn,
)
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from portal.core.errors import Conflict
from portal.core.language import _, say


def on_approved(session: Session, event: RequestApproved) -> None:
    """A committee agreed and it starts: tell those who would have approved, and open their review."""
    request = get_locked(session, event.request_id)
    emergency = document_of(request.version).emergency
    if emergency is None or [stage["slug"] for stage in request.route] != [COMMITTEE]:
        return
    deciders = [decision.person_id for decision in decisions_of(session, request)]
    open_review(
        session,
        request,
        Cause.EMERGENCY,
        ordinary_seats(session, request, deciders),
        minutes=emergency.review_minutes,
        reason=request.reason,
    )


def on_replanned(session: Session, event: RequestReplanned) -> None:
    """It is planned again: nothing of this revision stands, so nothing of it is left to review."""
    _void(session, event.request_id)


def on_withdrawn(session: Session, event: RequestWithdrawn) -> None:
    """It was taken back; what had been begun before is still looked back at."""
    _void_unless_begun(session, event.request_id)


def on_rejected(session: Session, event: RequestRejected) -> None:
    """Somebody said no; what an earlier attempt had begun is still looked back at."""
    _void_unless_begun(session, event.request_id)


def on_failed(session: Session, event: RequestFailed) -> None:
    """A fulfilment that was stopped has undone what it had done; what it could not undo is tried once more."""
    request = get_locked(session, event.request_id)
    _settle(session, request)
    review = find_review(session, request)
    if review is not None and review.state in UNDOING and review.undone_at is None:
        enqueue_undoing(session, request, review, after=latest_attempt(session, request))


def on_ended(session: Session, event: EntitlementEnded) -> None:
    """Something is gone from its target; perhaps the last that was to be undone."""
    entitlement = session.get_one(Entitlement, event.entitlement_id)
    _settle(session, get_locked(session, entitlement.request_id))


def on_fulfilment_starting(session: Session, event: FulfilmentStarting) -> None:
    """Let nothing start that was to be undone, and in an emergency nothing but first aid. Raises Conflict."""
    request = get_locked(session, event.request_id)
    review = find_review(session, request)
    if review is not None and review.state in UNDOING:
        raise Conflict(
            _(
                "This was to be undone after its review, so it cannot be carried out again by the same approval."
            )
        )
    emergency = document_of(request.version).emergency
    if emergency is None or [stage["slug"] for stage in request.route] != [COMMITTEE]:
        return
    beyond = [plan for plan in request.plans if plan.get("step") not in emergency.first_aid.steps]
    if beyond:
        raise Conflict(
            _("“%(step)s” is no first aid. Nothing was carried out.", step=beyond[0].get("name", ""))
        )


def _void_unless_begun(session: Session, request_id: int) -> None:
    """A step that began may have left something on its target, and its review says what becomes of it."""
    request = get_locked(session, request_id)
    begun = select(Step.id).where(
        Step.request_id == request.id, Step.revision == request.revision, Step.started_at.is_not(None)
    )
    if session.scalars(begun.limit(1)).first() is None:
        _void(session, request_id)


def _void(session: Session, request_id: int) -> None:
    request = get_locked(session, request_id)
    statement = select(Review).where(Review.request_id == request.id, Review.state == ReviewState.OPEN)
    for review in session.scalars(statement.with_for_update()).all():
        close(session, request, review, ReviewState.VOID, say("Nothing of it is carried out."))


def _settle(session: Session, request: Request) -> None:
    review = find_review(session, request)
    if review is not None and review.state in UNDOING:
        settle(session, request, get_locked_review(session, review.id))
