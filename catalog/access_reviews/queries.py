"""Reading campaigns: whose turn it is, how far they are, and every item with what was said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, true
from sqlalchemy.orm import Session, aliased

from catalog.access_reviews.model import (
    AccessReview,
    ItemReviewer,
    ItemState,
    Reviewer,
    ReviewItem,
    ReviewState,
)
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.targets import called
from catalog.requests.answers import spoken_end
from catalog.requests.audited import requests_in_scope
from catalog.requests.model import Request
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

PAGE = 25
_AT_A_TIME = 1000


class ReviewLine(NamedTuple):
    """One campaign in a list; `waiting` counts items without an answer, the reader's own where it is their list."""

    id: int
    name: str
    state: str
    due_at: datetime
    total: int
    waiting: int


class Progress(NamedTuple):
    """How far one reviewer is; an item that several may answer counts for each of them."""

    name: str
    total: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item as reviewers and compliance see it. Times are in the reader's zone."""

    id: int
    turn: int
    state: str
    label: str
    target: str
    holder: str
    holder_user_name: str
    reference: str
    reason: str
    risk: str
    since: datetime
    until: str
    last_used: datetime | None
    answered_by: str
    answered_at: datetime | None
    said: str
    new_end: str
    #: Of a removal: whether it is gone from the target, as it was read back.
    gone: bool


def reviews_for(session: Session, actor: Actor) -> Sequence[ReviewLine]:
    """Open campaigns that ask the actor, with how many items wait for them; one statement.

    None of an auditor's account, which answers nothing any more, whatever it was asked before.
    """
    if actor.audit is not None:
        return ()
    waiting = _waiting().where(ItemReviewer.person_id == actor.person_id).scalar_subquery()
    total = (
        select(func.count())
        .select_from(ReviewItem)
        .join(ItemReviewer, ItemReviewer.item_id == ReviewItem.id)
        .where(ReviewItem.review_id == AccessReview.id, ItemReviewer.person_id == actor.person_id)
        .correlate(AccessReview)
        .scalar_subquery()
    )
    rows = session.execute(
        select(AccessReview.id, AccessReview.name, AccessReview.state, AccessReview.due_at, total, waiting)
        .join(Reviewer, Reviewer.review_id == AccessReview.id)
        .where(Reviewer.person_id == actor.person_id, AccessReview.state == ReviewState.OPEN)
        .order_by(AccessReview.due_at, AccessReview.id)
    )
    return _lines(rows, actor)


def review_in_scope(actor: Actor) -> ColumnElement[bool]:
    """A condition on AccessReview: of a limited auditor's account those that are about nothing outside its scope."""
    if actor.audit is None or not actor.audit.limited:
        return true()
    items = (
        select(ReviewItem.id)
        .join(Entitlement, Entitlement.id == ReviewItem.entitlement_id)
        .where(ReviewItem.review_id == AccessReview.id)
        .correlate(AccessReview)
    )
    within = Entitlement.request_id.in_(requests_in_scope(actor))
    return and_(exists(items), ~exists(items.where(~within)))


def require_seen(session: Session, actor: Actor, review_id: int) -> None:
    """Raises NotFound for a campaign outside a limited auditor's scope; one statement, and none for others."""
    if actor.audit is None or not actor.audit.limited:
        return
    if not session.scalar(select(exists().where(AccessReview.id == review_id, review_in_scope(actor)))):
        raise NotFound(_("There is no such access review, or it is not yours to see."))


def every_review(
    session: Session, actor: Actor, *, before: int | None = None
) -> tuple[Sequence[ReviewLine], int | None]:
    """All campaigns, the latest first, and where the next page begins; one statement."""
    waiting = (
        select(func.count())
        .where(ReviewItem.review_id == AccessReview.id, ReviewItem.state == ItemState.OPEN)
        .correlate(AccessReview)
        .scalar_subquery()
    )
    query = (
        select(
            AccessReview.id,
            AccessReview.name,
            AccessReview.state,
            AccessReview.due_at,
            AccessReview.total,
            waiting,
        )
        .where(review_in_scope(actor))
        .order_by(AccessReview.id.desc())
    )
    if before is not None:
        query = query.where(AccessReview.id < before)
    rows = session.execute(query.limit(PAGE + 1)).all()
    lines = _lines(rows[:PAGE], actor)
    return lines, lines[-1].id if len(rows) > PAGE else None


def named_review(session: Session, review_id: int) -> tuple[AccessReview, str, str]:
    """The campaign, who opened it, and who closed or cancelled it or an empty text. Raises NotFound; one statement."""
    opener, closer = aliased(Person), aliased(Person)
    row = session.execute(
        select(AccessReview, opener.name, closer.name)
        .join(opener, opener.id == AccessReview.opened_by_id)
        .outerjoin(closer, closer.id == AccessReview.closed_by_id)
        .where(AccessReview.id == review_id)
    ).one_or_none()
    if row is None:
        raise NotFound(_("There is no such access review, or it is not yours to see."))
    return row[0], row[1], row[2] or ""


def progress_of(session: Session, review_id: int) -> Sequence[Progress]:
    """How far everybody is who is asked, whoever has most to do first; one statement."""
    waiting = func.count().filter(ReviewItem.state == ItemState.OPEN)
    rows = session.execute(
        select(Person.name, func.count(), waiting)
        .join(ItemReviewer, ItemReviewer.person_id == Person.id)
        .join(ReviewItem, ReviewItem.id == ItemReviewer.item_id)
        .where(ReviewItem.review_id == review_id)
        .group_by(Person.id, Person.name)
        .order_by(waiting.desc(), Person.name, Person.id)
    )
    return [Progress(name, total, left) for name, total, left in rows]


def own_items(
    session: Session, actor: Actor, review_id: int, *, answered: bool, after: int | None
) -> tuple[Sequence[ItemLine], int | None]:
    """What the actor is asked about, by number, and where the next page begins; two statements. Raises NotFound."""
    if actor.person_id is None or session.get(Reviewer, (review_id, actor.person_id)) is None:
        raise NotFound(_("There is no such access review, or it does not ask you."))
    mine = exists().where(ItemReviewer.item_id == ReviewItem.id, ItemReviewer.person_id == actor.person_id)
    is_open = ReviewItem.state == ItemState.OPEN
    query = _items(review_id).where(mine, ~is_open if answered else is_open)
    return _page(session, query, actor, after)


def items_of(
    session: Session, actor: Actor, review_id: int, *, state: ItemState | None, after: int | None
) -> tuple[Sequence[ItemLine], int | None]:
    """The campaign's items, by number, and where the next page begins; one statement."""
    query = _items(review_id)
    if state is not None:
        query = query.where(ReviewItem.state == state)
    return _page(session, query, actor, after)


def every_item(session: Session, actor: Actor, review_id: int) -> Iterator[ItemLine]:
    """Every item for a file, a thousand at a time."""
    after: int | None = None
    while True:
        lines, after = _page(session, _items(review_id), actor, after, limit=_AT_A_TIME)
        yield from lines
        if after is None:
            return


def _waiting() -> Select[Any]:
    return (
        select(func.count())
        .select_from(ReviewItem)
        .join(ItemReviewer, ItemReviewer.item_id == ReviewItem.id)
        .where(ReviewItem.review_id == AccessReview.id, ReviewItem.state == ItemState.OPEN)
        .correlate(AccessReview)
    )


def _items(review_id: int) -> Select[Any]:
    holder, reviewer = aliased(Person), aliased(Person)
    return (
        select(
            ReviewItem,
            Entitlement,
            Request.reference,
            Request.reason,
            Request.risk,
            holder.name.label("holder"),
            holder.user_name,
            reviewer.name.label("reviewer"),
        )
        .join(Entitlement, Entitlement.id == ReviewItem.entitlement_id)
        .join(Request, Request.id == Entitlement.request_id)
        .join(holder, holder.id == Entitlement.person_id)
        .outerjoin(reviewer, reviewer.id == ReviewItem.answered_by_id)
        .where(ReviewItem.review_id == review_id)
        .order_by(ReviewItem.id)
    )


def _page(
    session: Session, query: Select[Any], actor: Actor, after: int | None, *, limit: int = PAGE
) -> tuple[Sequence[ItemLine], int | None]:
    if after is not None:
        query = query.where(ReviewItem.id > after)
    rows = session.execute(query.limit(limit + 1)).all()
    zone = ZoneInfo(actor.timezone)
    lines = [_line(row, zone, actor.timezone) for row in rows[:limit]]
    return lines, lines[-1].id if len(rows) > limit else None


def _line(row: Any, zone: ZoneInfo, timezone: str) -> ItemLine:
    item: ReviewItem = row.ReviewItem
    entitlement: Entitlement = row.Entitlement
    return ItemLine(
        id=item.id,
        turn=item.turn,
        state=item.state.value,
        label=spoken(entitlement.label),
        target=spoken(called(entitlement.target)),
        holder=row.holder,
        holder_user_name=row.user_name,
        reference=row.reference,
        reason=row.reason,
        risk=str(row.risk.get("level", "")),
        since=entitlement.granted_at.astimezone(zone),
        until=spoken_end(entitlement.ends_at, timezone),
        last_used=item.last_used_at.astimezone(zone) if item.last_used_at else None,
        answered_by=row.reviewer or "",
        answered_at=item.answered_at.astimezone(zone) if item.answered_at else None,
        said=item.said,
        new_end=spoken_end(item.ends_at, timezone) if item.ends_at else "",
        gone=entitlement.ended_at is not None,
    )


def _lines(rows: Any, actor: Actor) -> Sequence[ReviewLine]:
    zone = ZoneInfo(actor.timezone)
    return [
        ReviewLine(number, name, state.value, due_at.astimezone(zone), total, waiting)
        for number, name, state, due_at, total, waiting in rows
    ]
