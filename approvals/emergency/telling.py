"""What everybody concerned is told of an emergency and its review, written in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.emergency.model import Cause, Review, Reviewer, ReviewWord
from catalog.fulfilment.operators import operators_of
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.presenters import lines_of
from catalog.requests.telling import about
from portal.identity.model import Person
from portal.identity.people import members_of
from portal.notifications import notify


def tell_passed_over(session: Session, request: Request, review: Review, reason: str) -> None:
    """Tell everybody who was passed over at once, and ask them to look back at it; `reason` is why it was done."""
    context = {
        **about(request),
        "path": review_path(request),
        "broken": review.cause is Cause.BREAK_GLASS,
        "why": reason,
        "requester": request.requester.name,
        "lines": [line for plan in request.plans for line in lines_of(plan)],
        "due_at": review.due_at,
    }
    for person in people(session, reviewers_of(session, review)):
        notify(session, "review_asked", person, context, urgent=True)


def remind(session: Session, request: Request, review: Review) -> None:
    """Ask those again who have not spoken."""
    spoken = session.scalars(select(ReviewWord.person_id).where(ReviewWord.review_id == review.id)).all()
    context = {**about(request), "path": review_path(request), "due_at": review.due_at}
    for person in people(session, set(reviewers_of(session, review)) - set(spoken)):
        notify(session, "review_reminder", person, context, urgent=True)


def tell_outcome(session: Session, request: Request, review: Review, why: str) -> None:
    """Say everywhere what became of the review: to whoever asked, receives, decided, reviews, answers for it, operates."""
    decided = session.scalars(
        select(Decision.person_id).where(
            Decision.request_id == request.id, Decision.revision == review.revision
        )
    ).all()
    concerned = {request.requester_id, request.beneficiary_id, *decided, *reviewers_of(session, review)}
    owners = members_of(session, document_of(request.version).owner)
    concerned |= {person.id for person in (*owners, *operators_of(session))}
    context: dict[str, Any] = {
        **about(request),
        "path": review_path(request),
        "passed": review.state.value == "right",
        "undone": review.undone_at is not None,
        "why": why,
    }
    for person in people(session, concerned):
        notify(session, "review_ended", person, context)


def ask_for_second(
    session: Session, request: Request, holders: Sequence[int], *, proposer: str, reason: str, ends_at: Any
) -> None:
    """Tell the other holders of the role that a second one is needed, and the requester that somebody began."""
    context = {
        **about(request),
        "path": f"/approvals/{request.reference}/break-glass",
        "proposer": proposer,
        "why": reason,
        "ends_at": ends_at,
    }
    for person in people(session, holders):
        notify(session, "break_glass_proposed", person, context, urgent=True)


def review_path(request: Request) -> str:
    """Where the review stands."""
    return f"/approvals/{request.reference}/review"


def reviewers_of(session: Session, review: Review) -> set[int]:
    """Everybody who may look back at it."""
    return set(session.scalars(select(Reviewer.person_id).where(Reviewer.review_id == review.id)))


def people(session: Session, numbers: Collection[int]) -> Sequence[Person]:
    """These people, where their account is active, in one order."""
    statement = select(Person).where(Person.id.in_(list(numbers)), Person.active).order_by(Person.id)
    return session.scalars(statement).all()
