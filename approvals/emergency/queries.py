"""Reading reviews: who may look back, what everybody sees of the debt, and one review with all that was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import Session

from approvals.emergency.debt import owed
from approvals.emergency.model import Review, Reviewer, ReviewState, ReviewWord
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.identity.model import Person

#: How many of those that are over are listed.
LATELY = 20
#: More open ones than this are counted, not listed.
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Owed:
    """One review in the list, and who has not spoken yet."""

    review: Review
    reference: str
    version: OfferingVersion
    waiting: tuple[tuple[int, str], ...] = ()


def is_reviewer(session: Session, request_id: int, person_id: int) -> bool:
    """Whether the person was passed over on this request, in any revision, and so may see it."""
    statement = select(
        exists().where(
            Reviewer.review_id == Review.id,
            Reviewer.person_id == person_id,
            Review.request_id == request_id,
        )
    )
    return bool(session.scalar(statement))


def reviewed_by(person_id: int) -> Select[Any]:
    """As a subquery, what `is_reviewer` says of one request: all that went past the person."""
    return (
        select(Review.request_id)
        .join(Reviewer, Reviewer.review_id == Review.id)
        .where(Reviewer.person_id == person_id)
    )


def reviews_owed(session: Session) -> tuple[Owed, ...]:
    """Every review that weighs, the one that is due first before the others; two statements."""
    rows = session.execute(_listed(owed()).order_by(Review.due_at, Review.id).limit(MOST_LISTED)).all()
    waiting = _waiting(session, [review.id for review, *_ in rows if review.state is ReviewState.OPEN])
    return tuple(
        Owed(review, reference, version, tuple(waiting.get(review.id, ())))
        for review, reference, version in rows
    )


def reviews_over(session: Session) -> tuple[Owed, ...]:
    """The latest that are over, the last one first; one statement."""
    over = and_(~owed(), Review.state != ReviewState.VOID)
    rows = session.execute(_listed(over).order_by(Review.closed_at.desc(), Review.id.desc()).limit(LATELY))
    return tuple(Owed(*row) for row in rows)


def latest_review(session: Session, request: Request) -> Review | None:
    """The request's last review, of whichever revision."""
    statement = select(Review).where(Review.request_id == request.id).order_by(Review.id.desc())
    return session.scalars(statement.limit(1)).one_or_none()


def reviewers_with_words(
    session: Session, review: Review
) -> Sequence[tuple[Reviewer, str, ReviewWord | None]]:
    """Everybody who was passed over, by stage and name, with what they found; one statement."""
    rows = session.execute(
        select(Reviewer, Person.name, ReviewWord)
        .join(Person, Person.id == Reviewer.person_id)
        .outerjoin(
            ReviewWord,
            and_(ReviewWord.review_id == Reviewer.review_id, ReviewWord.person_id == Reviewer.person_id),
        )
        .where(Reviewer.review_id == review.id)
        .order_by(Reviewer.stage, Person.name, Person.id)
    )
    return [(reviewer, name, word) for reviewer, name, word in rows]


def _listed(which: ColumnElement[bool]) -> Select[Review, str, OfferingVersion]:
    return (
        select(Review, Request.reference, OfferingVersion)
        .join(Request, Request.id == Review.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(which)
    )


def _waiting(session: Session, reviews: Iterable[int]) -> Mapping[int, list[tuple[int, str]]]:
    """By review, the number and name of whoever has not spoken."""
    found: dict[int, list[tuple[int, str]]] = {}
    rows = session.execute(
        select(Reviewer.review_id, Person.id, Person.name)
        .join(Person, Person.id == Reviewer.person_id)
        .outerjoin(
            ReviewWord,
            and_(ReviewWord.review_id == Reviewer.review_id, ReviewWord.person_id == Reviewer.person_id),
        )
        .where(Reviewer.review_id.in_(list(reviews)), ReviewWord.id.is_(None))
        .order_by(Person.name, Person.id)
    )
    for review, number, name in rows:
        people = found.setdefault(review, [])
        if (number, name) not in people:
            people.append((number, name))
    return found
