"""Opening a review: at the moment in which something begins that its ordinary approvers were not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from approvals import tags
from approvals.emergency.model import Cause, Review, Reviewer, ReviewState
from approvals.emergency.seats import Seat
from approvals.emergency.telling import tell_passed_over
from catalog.requests.model import Request
from catalog.requests.moves import subject_of, task_subject
from portal.audit import record
from portal.core.clock import now
from portal.core.language import kept
from portal.identity.actor import PORTAL
from portal.jobs import enqueue

#: Unreviewed for so long, it is undone.
BREAK_GLASS_MINUTES = 24 * 60
LAPSE, REMIND = "lapse_review", "remind_reviewers"
#: When those who have not spoken are asked again, in parts of the time that they have.
REMINDERS = (0.5, 0.875)


def open_review(
    session: Session,
    request: Request,
    cause: Cause,
    seats: Sequence[Seat],
    *,
    minutes: int,
    reason: str,
) -> Review:
    """Open the review of the request's current revision, tell everybody who was passed over, and start its clock.

    `minutes` are counted by the clock. Without any seat nobody can review it, and it will be undone when the time is
    over.
    """
    at = now(session)
    review = Review(
        request_id=request.id,
        revision=request.revision,
        cause=cause,
        state=ReviewState.OPEN,
        seats=[{"slug": seat.slug, "name": kept(seat.name), "quorum": seat.quorum} for seat in seats],
        opened_at=at,
        due_at=at + timedelta(minutes=minutes),
    )
    session.add(review)
    session.flush()
    session.add_all(
        Reviewer(
            review_id=review.id,
            stage=seat.slug,
            person_id=person.person_id,
            relation=person.relation,
            rule=person.rule,
        )
        for seat in seats
        for person in seat.people
    )
    session.flush()
    record(
        session,
        tags.REVIEW_OPENED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "cause": cause.value,
            "revision": request.revision,
            "seal": request.seal,
            "due_at": review.due_at.isoformat(),
            "reviewers": [
                {"stage": seat.slug, "quorum": seat.quorum, "person": f"person:{person.person_id}"}
                for seat in seats
                for person in seat.people
            ],
        },
    )
    tell_passed_over(session, request, review, reason)
    _arrange(session, request, review, minutes)
    return review


def _arrange(session: Session, request: Request, review: Review, minutes: int) -> None:
    payload = {"review_id": review.id}
    for number, part in enumerate(REMINDERS):
        enqueue(
            session,
            REMIND,
            payload,
            run_at=review.opened_at + timedelta(minutes=minutes * part),
            subject=task_subject(request),
            dedupe_key=f"{REMIND}:{review.id}:{number}",
        )
    enqueue(
        session,
        LAPSE,
        payload,
        run_at=review.due_at,
        subject=task_subject(request),
        dedupe_key=f"{LAPSE}:{review.id}",
    )
