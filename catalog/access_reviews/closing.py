"""Closing a campaign: by itself when its time is over and everything is settled, earlier by compliance, or cancelled."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.model import AccessReview, ItemState, ReviewItem, ReviewState
from catalog.entitlements.model import Entitlement, EntitlementState
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import _
from portal.core.text import clean_text
from portal.identity.actor import PORTAL, Actor
from portal.identity.permissions import Permission

SHORTEST, LONGEST = 10, 1000


def get_review(session: Session, review_id: int) -> AccessReview:
    """The campaign of this number. Raises NotFound."""
    review = session.get(AccessReview, review_id)
    if review is None:
        raise NotFound(_("There is no such access review, or it is not yours to see."))
    return review


def find_locked(session: Session, review_id: int) -> AccessReview:
    """The campaign, so that nobody answers while it is looked at. Raises NotFound."""
    review = get_review(session, review_id)
    session.refresh(review, with_for_update=True)
    return review


def unsettled(session: Session, review_id: int) -> tuple[int, int]:
    """How many items wait for an answer, and how many removals are under way; one statement."""
    counts, going = standing(session, review_id)
    return counts[ItemState.OPEN.value], going


def close_if_settled(session: Session, review_id: int) -> bool:
    """Close it where its time is over and everything is settled, removals included; says whether it was."""
    review = find_locked(session, review_id)
    if review.state is not ReviewState.OPEN or review.due_at > now(session):
        return False
    if any(unsettled(session, review_id)):
        return False
    _close(session, review, PORTAL)
    return True


def close_now(session: Session, actor: Actor, review_id: int) -> AccessReview:
    """Close it before its time, because everything is settled. Raises Forbidden, NotFound, Conflict."""
    review = _open_for(session, actor, review_id)
    waiting, going = unsettled(session, review_id)
    if waiting or going:
        raise Conflict(_("Something is not settled yet, so this access review cannot be closed."))
    review.closed_by_id = actor.person_id
    _close(session, review, actor)
    return review


def cancel(session: Session, actor: Actor, review_id: int, reason: str) -> AccessReview:
    """Stop it, by a second person of compliance. What was answered stays done; nobody is asked about the rest.

    Raises Forbidden for whoever opened it, NotFound, Conflict, FieldError without a reason.
    """
    review = _open_for(session, actor, review_id)
    if actor.person_id == review.opened_by_id:
        raise Forbidden(_("You opened this access review, so a second person of compliance must cancel it."))
    try:
        text = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if not SHORTEST <= len(text) <= LONGEST:
        raise FieldError("reason", _("Give a reason of 10 to %(most)s characters.", most=LONGEST))
    review.state, review.closed_at = ReviewState.CANCELLED, now(session)
    review.closed_by_id, review.close_reason = actor.person_id, text
    record(
        session,
        tags.CANCELLED,
        subject=f"access-review:{review.id}",
        actor=actor,
        facts={"figures": figures(session, review.id)},
        personal={"why": text},
    )
    return review


def figures(session: Session, review_id: int) -> dict[str, int]:
    """How many items are in each state, by its name; one statement."""
    return standing(session, review_id)[0]


def standing(session: Session, review_id: int) -> tuple[dict[str, int], int]:
    """How many items are in each state, by its name, and how many removals are under way; one statement."""
    begun = (ReviewItem.state == ItemState.REVOKED) & (Entitlement.state != EntitlementState.ENDED)
    rows = session.execute(
        select(ReviewItem.state, func.count(), func.count().filter(begun))
        .join(Entitlement, Entitlement.id == ReviewItem.entitlement_id)
        .where(ReviewItem.review_id == review_id)
        .group_by(ReviewItem.state)
    ).all()
    counts = {state.value: 0 for state in ItemState}
    return counts | {state.value: count for state, count, _going in rows}, sum(row[2] for row in rows)


def _open_for(session: Session, actor: Actor, review_id: int) -> AccessReview:
    if not actor.may(Permission.RUN_ACCESS_REVIEWS):
        raise Forbidden(_("Only compliance closes or cancels an access review."))
    review = find_locked(session, review_id)
    if review.state is not ReviewState.OPEN:
        raise Conflict(_("This access review is over already."))
    return review


def _close(session: Session, review: AccessReview, actor: Actor) -> None:
    review.state, review.closed_at = ReviewState.CLOSED, now(session)
    record(
        session,
        tags.CLOSED,
        subject=f"access-review:{review.id}",
        actor=actor,
        facts={"figures": figures(session, review.id), "population": review.digest},
    )
