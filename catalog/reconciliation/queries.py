"""Reading findings and readings, as pages and the command line show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Finding, FindingState, Reading

#: The command line names so many.
MOST = 10_000


def open_findings(session: Session, kinds: Collection[str]) -> Sequence[Finding]:
    """What is open on these targets, in the order in which it was found."""
    return session.scalars(
        select(Finding)
        .where(Finding.state == FindingState.OPEN, Finding.connector.in_(kinds))
        .order_by(Finding.id)
        .limit(MOST)
    ).all()


def latest_readings(session: Session) -> Sequence[Reading]:
    """The last reading of each target, by its name; one statement."""
    last = select(func.max(Reading.id)).group_by(Reading.connector)
    return session.scalars(select(Reading).where(Reading.id.in_(last)).order_by(Reading.connector)).all()
