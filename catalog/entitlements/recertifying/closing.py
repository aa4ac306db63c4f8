"""Closing questions that something else has answered: what has ended needs no answer any more."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement
from catalog.entitlements.recertifying.model import Recertification, RecertificationState
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL


def find_open(session: Session, entitlement_id: int) -> Recertification | None:
    """The question about it that waits for an answer."""
    statement = select(Recertification).where(
        Recertification.entitlement_id == entitlement_id, Recertification.state == RecertificationState.OPEN
    )
    return session.scalars(statement.order_by(Recertification.id).limit(1)).first()


def void_question(session: Session, entitlement: Entitlement) -> None:
    """What is taken away is not asked about: its open question, if any, is void."""
    entitlement.review_at = None
    question = find_open(session, entitlement.id)
    if question is None:
        return
    question.state = RecertificationState.VOID
    question.closed_at = now(session)
    record(
        session,
        tags.RECERTIFICATION_VOIDED,
        subject=subject_of(session.get_one(Request, entitlement.request_id)),
        actor=PORTAL,
        facts={"recertification": question.id, "entitlement": entitlement.id},
    )
