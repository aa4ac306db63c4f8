"""What becomes of items that nobody answers: they go on to somebody once where the campaign says so, or are taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.answering import get_locked_item
from catalog.access_reviews.effects import end_by_silence
from catalog.access_reviews.model import (
    AccessReview,
    AtEnd,
    ItemReviewer,
    ItemState,
    ReviewItem,
    ReviewState,
)
from catalog.access_reviews.reviewers import above, calendars_by_person, compliance_people, days_later
from catalog.access_reviews.telling import tell_reviewers
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.rights import Owner
from catalog.requests.events import EntitlementEnded
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL
from portal.identity.model import Person


def on_ended(session: Session, event: EntitlementEnded) -> None:
    """What ended before anybody answered needs no answer any more."""
    items = session.scalars(
        select(ReviewItem)
        .join(AccessReview, AccessReview.id == ReviewItem.review_id)
        .where(
            ReviewItem.entitlement_id == event.entitlement_id,
            ReviewItem.state == ItemState.OPEN,
            AccessReview.state == ReviewState.OPEN,
        )
        .order_by(ReviewItem.id)
    )
    for item in items:
        _void(session, item)


def hand_on(session: Session, review: AccessReview) -> None:
    """Ask whoever is above those who did not answer in time, once, and give them the campaign's further days."""
    if review.at_end is not AtEnd.ESCALATE:
        return
    at = now(session)
    waiting = _waiting(session, review, ReviewItem.due_at <= at, ReviewItem.escalated.is_(False))
    chosen = _ask_above(session, waiting)
    told: dict[int, list[ReviewItem]] = defaultdict(list)
    for item, owners in chosen:
        item.escalated = True
        for owner in owners:
            told[owner.person.id].append(item)
    due = _due_of(session, review, told, at)
    for item, owners in chosen:
        # Where nobody is above them, its time is over now.
        item.due_at = max((due[owner.person.id] for owner in owners), default=at)
    if chosen:
        _record(session, review, chosen, why="unanswered")
    _tell(session, review, told, due)


def replace_those_who_left(session: Session, review: AccessReview) -> None:
    """Ask somebody else where everybody who was asked has left; the time stays what it was."""
    somebody = exists().where(
        ItemReviewer.item_id == ReviewItem.id, Person.id == ItemReviewer.person_id, Person.active
    )
    waiting = _waiting(session, review, ~somebody, ReviewItem.due_at > now(session))
    chosen = [(item, owners) for item, owners in _ask_above(session, waiting) if owners]
    told: dict[int, list[ReviewItem]] = defaultdict(list)
    for item, owners in chosen:
        for owner in owners:
            told[owner.person.id].append(item)
    if chosen:
        _record(session, review, chosen, why="left")
    _tell(session, review, told, {number: items[0].due_at for number, items in told.items()})


def lapse(session: Session, item_id: int) -> None:
    """Its time is over and nobody answered: it is taken away, unless that goes on already."""
    item, entitlement, review = get_locked_item(session, item_id)
    if (
        review.state is not ReviewState.OPEN
        or item.state is not ItemState.OPEN
        or item.due_at > now(session)
        or (review.at_end is AtEnd.ESCALATE and not item.escalated)
    ):
        return
    if entitlement.state is not EntitlementState.LIVE:
        _void(session, item)
        return
    item.state = ItemState.REVOKED
    item.answered_at = now(session)
    item.turn += 1
    session.flush()
    record(
        session,
        tags.LAPSED,
        subject=f"access-review:{review.id}",
        actor=PORTAL,
        facts={"item": item.id, "entitlement": entitlement.id, "escalated": item.escalated},
    )
    end_by_silence(session, item, entitlement)


def _waiting(session: Session, review: AccessReview, *conditions: object) -> Sequence[ReviewItem]:
    return session.scalars(
        select(ReviewItem)
        .where(
            ReviewItem.review_id == review.id,
            ReviewItem.state == ItemState.OPEN,
            *conditions,  # type: ignore[arg-type]  # what `where` takes has no public name
        )
        .order_by(ReviewItem.id)
    ).all()


def _ask_above(session: Session, items: Sequence[ReviewItem]) -> Sequence[tuple[ReviewItem, Sequence[Owner]]]:
    """Whoever is above those who were asked about each, written down as its reviewers too."""
    compliance = compliance_people(session) if items else ()
    found: list[tuple[ReviewItem, Sequence[Owner]]] = []
    for item in items:
        asked = session.scalars(
            select(Person)
            .join(ItemReviewer, ItemReviewer.person_id == Person.id)
            .where(ItemReviewer.item_id == item.id)
            .order_by(Person.id)
        ).all()
        entitlement = session.get_one(Entitlement, item.entitlement_id)
        owners = above(session, asked, entitlement, compliance=compliance)
        session.add_all(
            ItemReviewer(item_id=item.id, person_id=owner.person.id, rule=owner.rule) for owner in owners
        )
        found.append((item, owners))
    session.flush()
    return found


def _due_of(
    session: Session, review: AccessReview, told: dict[int, list[ReviewItem]], at: datetime
) -> dict[int, datetime]:
    calendars = calendars_by_person(session, told)
    return {number: days_later({number: calendars[number]}, at, review.more_days) for number in told}


def _tell(
    session: Session, review: AccessReview, told: dict[int, list[ReviewItem]], due: dict[int, datetime]
) -> None:
    by_time: dict[datetime, list[tuple[Person, int]]] = defaultdict(list)
    for number, items in sorted(told.items()):
        by_time[due[number]].append((session.get_one(Person, number), len(items)))
    for due_at, counts in sorted(by_time.items()):
        tell_reviewers(session, review, counts, due_at=due_at, handed_on=True)


def _record(
    session: Session,
    review: AccessReview,
    chosen: Sequence[tuple[ReviewItem, Sequence[Owner]]],
    *,
    why: str,
) -> None:
    record(
        session,
        tags.ESCALATED,
        subject=f"access-review:{review.id}",
        actor=PORTAL,
        facts={
            "why": why,
            "items": [
                {
                    "item": item.id,
                    "to": [{"person": f"person:{owner.person.id}", "rule": owner.rule} for owner in owners],
                }
                for item, owners in chosen
            ],
        },
    )


def _void(session: Session, item: ReviewItem) -> None:
    item.state = ItemState.VOID
    item.turn += 1
    record(
        session,
        tags.VOIDED,
        subject=f"access-review:{item.review_id}",
        actor=PORTAL,
        facts={"item": item.id, "entitlement": item.entitlement_id},
    )
