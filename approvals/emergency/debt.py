"""The debt: emergencies whose review is open, or that are still to be undone. Everybody sees it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from approvals.emergency.model import Review, ReviewState

#: Found wrong, or by nobody in time: it stands until it is gone.
UNDOING = (ReviewState.WRONG, ReviewState.LAPSED)


def owed() -> ColumnElement[bool]:
    """The condition: this review still weighs."""
    return or_(Review.state == ReviewState.OPEN, and_(Review.state.in_(UNDOING), Review.undone_at.is_(None)))


def debt_of(session: Session) -> int:
    """How many weigh now; one statement."""
    return session.scalar(select(func.count()).select_from(Review).where(owed())) or 0
