"""The round that reminds, hands on, takes away and closes: whatever is due happens once, in transactions of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.access_reviews.closing import close_if_settled, find_locked
from catalog.access_reviews.ending import hand_on, lapse, replace_those_who_left
from catalog.access_reviews.model import AccessReview, ItemState, ReviewItem, ReviewState
from catalog.access_reviews.opening import READ_USES
from catalog.access_reviews.telling import remind
from catalog.entitlements.model import Entitlement
from catalog.entitlements.recertifying.jobs import last_used
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.clock import now
from portal.jobs import Handlers, Job

RUN = "run_access_reviews"
#: How many items one round takes away in each campaign; what is left comes with the next one.
AT_ONCE = 200


def handlers(connectors: Connectors) -> Handlers:
    """What each kind of task runs."""
    return {RUN: run, READ_USES: partial(read_uses, connectors=connectors)}


def run(job: Job) -> None:
    """The task of one round. Safe to run again at any point: everything is looked at again under its lock."""
    with job.reading() as session:
        numbers = session.scalars(
            select(AccessReview.id).where(AccessReview.state == ReviewState.OPEN).order_by(AccessReview.id)
        ).all()
    steps: tuple[Callable[[Session, AccessReview], None], ...] = (remind, replace_those_who_left, hand_on)
    for number in numbers:
        for step in steps:
            with job.transaction() as session:
                review = find_locked(session, number)
                if review.state is ReviewState.OPEN:
                    step(session, review)
        with job.reading() as session:
            late = session.scalars(
                select(ReviewItem.id)
                .where(
                    ReviewItem.review_id == number,
                    ReviewItem.state == ItemState.OPEN,
                    ReviewItem.due_at <= now(session),
                )
                .order_by(ReviewItem.id)
                .limit(AT_ONCE)
            ).all()
        for item in late:
            with job.transaction() as session:
                lapse(session, item)
        with job.transaction() as session:
            close_if_settled(session, number)


def read_uses(job: Job, *, connectors: Connectors) -> None:
    """Ask the targets when the things in a campaign were last used, and keep what they know."""
    with job.reading() as session:
        rows = session.execute(
            select(ReviewItem.id, Entitlement.connector, Entitlement.key)
            .join(Entitlement, Entitlement.id == ReviewItem.entitlement_id)
            .where(ReviewItem.review_id == job.payload["review_id"])
            .order_by(ReviewItem.id)
        ).all()
    known = last_used([(connector, key) for _number, connector, key in rows], connectors)
    with job.transaction() as session:
        for number, connector, key in rows:
            if moment := known.get((connector, key)):
                session.get_one(ReviewItem, number).last_used_at = moment
        job.finish(session)
