"""Telling the requester, and the beneficiary where it is somebody else, what became of a request."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from portal.notifications import notify

#: Which of an offering's texts stands in the mail of an event.
_TEXTS = {
    "approval_requested": "approval",
    "request_approved": "approved",
    "request_fulfilled": "fulfilled",
    "request_rejected": "rejected",
    "request_refused": "refused",
    "request_failed": "failed",
    "entitlement_ending": "ending",
    "entitlement_ended": "ended",
}


def tell_requester(session: Session, request: Request, event: str, **more: Any) -> None:
    """Write the event's mail to the requester in this transaction; it is sent after the commit.

    What was done for somebody else is told to them too.
    """
    notify(session, event, request.requester, {**about(request, event), **more})
    if event == "request_fulfilled":
        tell_beneficiary(session, request, "done_for_you")


def tell_beneficiary(session: Session, request: Request, event: str) -> None:
    """Write the event's mail to whoever receives it, where somebody else asked for them."""
    if request.beneficiary_id != request.requester_id:
        notify(
            session,
            event,
            request.beneficiary,
            {**about(request), "requester": request.requester.name},
        )


def about(request: Request, event: str = "") -> dict[str, Any]:
    """What every mail of a request may show; `note` is what the offering says in the mails of this event."""
    text = _TEXTS.get(event)
    document = document_of(request.version)
    note = getattr(document.mails, text) if text else None
    return {
        "note": document.say(note) if note else "",
        "reference": request.reference,
        "offering": document.say(document.name),
        "title": request.title,
        "outcome": request.outcome,
        "path": f"/requests/{request.reference}",
    }
