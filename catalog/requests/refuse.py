"""Refusing: the portal itself says no, before anybody is asked."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.requests import tags
from catalog.requests.events import RequestRefused
from catalog.requests.model import Request
from catalog.requests.moves import move, subject_of
from catalog.requests.states import Move
from catalog.requests.telling import tell_requester
from portal.audit import record
from portal.core.events import publish
from portal.identity.actor import PORTAL


def refuse(session: Session, request: Request, why: str) -> None:
    """Close the request with a sentence that says why it cannot be done. Raises Conflict once it is prepared."""
    move(session, request, Move.REFUSE)
    request.outcome = why
    record(
        session,
        tags.REFUSED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"revision": request.revision},
        personal={"why": why},
    )
    publish(session, RequestRefused(request.id))
    tell_requester(session, request, "request_refused")
