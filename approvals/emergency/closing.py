"""Closing a review: it passed, it was found wrong, nobody reviewed it in time, or nothing is left to review."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.emergency.debt import UNDOING
from approvals.emergency.model import Review, ReviewState
from approvals.emergency.telling import tell_outcome
from catalog.requests.model import Request
from catalog.requests.moves import subject_of, task_subject
from portal.audit import record
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import enqueue

UNDO = "undo_unreviewed"
_TAGS = {
    ReviewState.RIGHT: tags.REVIEW_PASSED,
    ReviewState.LAPSED: tags.REVIEW_LAPSED,
    ReviewState.VOID: tags.REVIEW_VOIDED,
}


def find_review(session: Session, request: Request) -> Review | None:
    """The review of the request's current revision."""
    return session.scalars(
        select(Review).where(Review.request_id == request.id, Review.revision == request.revision)
    ).one_or_none()


def get_locked_review(session: Session, review_id: int) -> Review:
    """The review as it is now, locked until this transaction ends. The request is locked before it."""
    statement = select(Review).where(Review.id == review_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def close(session: Session, request: Request, review: Review, state: ReviewState, why: str) -> None:
    """Close it in this state; found wrong or not reviewed, everything that it stands for is undone by its inverse.

    `why` is a sentence for everybody concerned.
    """
    review.state = state
    review.closed_at = now(session)
    session.flush()
    if state in _TAGS:
        record(
            session,
            _TAGS[state],
            subject=subject_of(request),
            actor=PORTAL,
            facts={"revision": review.revision, "cause": review.cause.value},
        )
    if state in UNDOING:
        enqueue_undoing(session, request, review)
    if state is not ReviewState.VOID:
        tell_outcome(session, request, review, why)


def enqueue_undoing(session: Session, request: Request, review: Review, *, after: int = 0) -> None:
    """Have the worker undo it; once more after an attempt of this number has failed."""
    enqueue(
        session,
        UNDO,
        {"review_id": review.id},
        subject=task_subject(request),
        dedupe_key=f"{UNDO}:{review.id}:{after}" if after else f"{UNDO}:{review.id}",
    )


def mark_undone(session: Session, request: Request, review: Review) -> None:
    """Write down that nothing of it is on any target any more, and say so. Once."""
    if review.undone_at is not None:
        return
    review.undone_at = now(session)
    session.flush()
    record(
        session,
        tags.REVIEW_UNDONE,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"revision": review.revision, "cause": review.cause.value},
    )
    tell_outcome(session, request, review, why_undone(review))


def why_undone(review: Review) -> str:
    """Why it is or was taken back, for everybody, in every language."""
    if review.state is ReviewState.WRONG:
        return say("A reviewer found that it was not right, so it is undone.")
    return say("Nobody reviewed it in time, so it is undone.")
