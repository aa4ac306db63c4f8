"""Reading reviews: who may look back, and what everybody sees of the debt."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from approvals.emergency.model import Review, Reviewer


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
