"""The tasks of reviews: ask again those who have not spoken, and close what nobody reviewed in time."""

from __future__ import annotations

from functools import partial

from approvals.emergency.closing import UNDO, close, get_locked_review, why_undone
from approvals.emergency.model import Review, ReviewState
from approvals.emergency.opening import LAPSE, REMIND
from approvals.emergency.telling import remind
from approvals.emergency.undoing import undo_unreviewed
from catalog.fulfilment.connectors.registry import Connectors
from catalog.requests.moves import get_locked
from portal.core.clock import now
from portal.jobs import Handlers, Job


def handlers(connectors: Connectors) -> Handlers:
    """What each kind of task of this room runs."""
    return {
        REMIND: remind_reviewers,
        LAPSE: lapse_review,
        UNDO: partial(undo_unreviewed, connectors=connectors),
    }


def remind_reviewers(job: Job) -> None:
    """Ask again, while the review is open."""
    with job.transaction() as session:
        review = session.get_one(Review, job.payload["review_id"])
        request = get_locked(session, review.request_id)
        if get_locked_review(session, review.id).state is ReviewState.OPEN:
            remind(session, request, review)
        job.finish(session)


def lapse_review(job: Job) -> None:
    """The time is over: what nobody reviewed is undone, and everybody concerned is told."""
    with job.transaction() as session:
        review = session.get_one(Review, job.payload["review_id"])
        request = get_locked(session, review.request_id)
        review = get_locked_review(session, review.id)
        if review.state is ReviewState.OPEN and now(session) >= review.due_at:
            close(session, request, review, ReviewState.LAPSED, why_undone(review))
        job.finish(session)
