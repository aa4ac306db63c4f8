"""Telling reviewers: one mail to each with their count, when it opens and when something is handed on to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.model import AccessReview, ItemReviewer, ItemState, Reviewer, ReviewItem
from catalog.access_reviews.reviewers import calendars_by_person, reminders
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL
from portal.identity.model import Person
from portal.notifications import notify


def tell_reviewers(
    session: Session,
    review: AccessReview,
    counts: Sequence[tuple[Person, int]],
    *,
    due_at: datetime | None = None,
    handed_on: bool = False,
) -> None:
    """Mail everybody what they are asked, arrange when they are reminded, and write it into the ledger.

    `due_at` where it is not the campaign's own; `handed_on` where others did not answer.
    """
    at, due = now(session), due_at or review.due_at
    calendars = calendars_by_person(session, [person.id for person, _count in counts])
    for person, count in counts:
        times = reminders(calendars[person.id], at, due)
        known = session.get(Reviewer, (review.id, person.id))
        if known is None:
            known = Reviewer(review_id=review.id, person_id=person.id, told_at=at)
            session.add(known)
        # Of somebody who is asked again the earlier reminder stands.
        first, second = [times.half or times.last, times.last if times.half else None]
        known.remind_at = min((each for each in (known.remind_at, first) if each), default=None)
        known.last_reminder_at = second or known.last_reminder_at
        notify(
            session,
            "access_review_asked",
            person,
            {
                "review": review.name,
                "reason": review.reason,
                "count": count,
                "due_at": due,
                "handed_on": handed_on,
                "path": f"/access-reviews/{review.id}/mine",
            },
        )
    record(
        session,
        tags.ASKED,
        subject=f"access-review:{review.id}",
        actor=PORTAL,
        facts={
            "people": [{"person": f"person:{person.id}", "items": count} for person, count in counts],
            "due_at": due.isoformat(),
            "handed_on": handed_on,
        },
    )


def remind(session: Session, review: AccessReview) -> None:
    """Mail whoever is due and still has something to answer; whoever has not is left in peace."""
    at = now(session)
    due = session.scalars(
        select(Reviewer)
        .where(Reviewer.review_id == review.id, Reviewer.remind_at <= at)
        .order_by(Reviewer.person_id)
        .with_for_update()
    ).all()
    if not due:
        return
    waiting = open_counts(session, review.id)
    told: list[tuple[int, int]] = []
    for reviewer in due:
        later = reviewer.last_reminder_at
        reviewer.remind_at = later if later is not None and later > at else None
        reviewer.last_reminder_at = None
        count, due_at = waiting.get(reviewer.person_id, (0, review.due_at))
        if count and due_at > at:
            person = session.get_one(Person, reviewer.person_id)
            context = {
                "review": review.name,
                "count": count,
                "due_at": due_at,
                "path": f"/access-reviews/{review.id}/mine",
            }
            notify(session, "access_review_reminder", person, context)
            told.append((reviewer.person_id, count))
    if told:
        record(
            session,
            tags.REMINDED,
            subject=f"access-review:{review.id}",
            actor=PORTAL,
            facts={"people": [{"person": f"person:{number}", "items": count} for number, count in told]},
        )


def open_counts(session: Session, review_id: int) -> dict[int, tuple[int, datetime]]:
    """How many items wait for each person, and until when the first of them does; one statement."""
    rows = session.execute(
        select(ItemReviewer.person_id, func.count(), func.min(ReviewItem.due_at))
        .join(ReviewItem, ReviewItem.id == ItemReviewer.item_id)
        .where(ReviewItem.review_id == review_id, ReviewItem.state == ItemState.OPEN)
        .group_by(ItemReviewer.person_id)
    )
    return {number: (count, due_at) for number, count, due_at in rows}
