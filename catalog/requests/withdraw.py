"""Withdrawing: the requester takes the request back while nothing has been carried out."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.requests import tags
from catalog.requests.events import RequestWithdrawn
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move, subject_of
from catalog.requests.states import TRANSITIONS, Move
from portal.audit import record
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.core.events import publish
from portal.core.language import _, say
from portal.core.text import clean_text
from portal.identity.actor import Actor

LONGEST_REASON = 1000


def withdraw(session: Session, actor: Actor, request_id: int, reason: str = "") -> Request:
    """Close the request; approvals are void and nobody is asked any more.

    Raises NotFound, Forbidden for anyone but the requester, Conflict once fulfilment has started, FieldError for
    a reason that cannot be kept.
    """
    request = get_locked(session, request_id)
    if actor.person_id is None or actor.person_id != request.requester_id:
        raise Forbidden(_("Only the person who made this request can withdraw it."))
    if (request.state, Move.WITHDRAW) not in TRANSITIONS:
        raise Conflict(
            _("This request can no longer be withdrawn: it is being carried out, or it is closed.")
        )
    said = _clean(reason)
    move(session, request, Move.WITHDRAW)
    request.outcome = said or say("The requester withdrew it.")
    record(
        session,
        tags.WITHDRAWN,
        subject=subject_of(request),
        actor=actor,
        facts={"revision": request.revision},
        personal={"reason": said} if said else None,
    )
    publish(session, RequestWithdrawn(request.id))
    return request


def _clean(reason: str) -> str:
    try:
        said = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if len(said) > LONGEST_REASON:
        raise FieldError(
            "reason",
            _(
                "The reason is longer than %(longest_reason)s characters; shorten it.",
                longest_reason=LONGEST_REASON,
            ),
        )
    return said
