"""What approvers and requesters are told by mail, written in the same transaction and sent after the commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage
from catalog.offerings.queries import document_of
from catalog.offerings.translating import said_alike
from catalog.requests.ends import known_end
from catalog.requests.model import Request
from catalog.requests.states import State
from catalog.requests.telling import about, tell_requester
from portal.core.language import said
from portal.identity.model import Person
from portal.notifications import notify


def tell_approvers(session: Session, request: Request, stage: Stage, paths: Mapping[int, str]) -> None:
    """Ask each person for their decision: the decision card, with their own link. `paths` are by person."""
    card = {**about(request, "approval_requested"), **card_of(request, stage)}
    for person in _people(session, paths):
        notify(session, "approval_requested", person, {**card, "path": paths[person.id]})


def tell_that_it_ended(session: Session, request: Request, people: Collection[int | None], why: str) -> None:
    """Tell whoever was asked or had decided that nothing is left for them to decide, and why."""
    context = {**about(request), "why": why, "path": f"/approvals/{request.reference}"}
    for person in _people(session, [number for number in people if number is not None]):
        notify(session, "approval_ended", person, context)


def tell_approved(session: Session, request: Request) -> None:
    """Tell the requester that everybody who had to agree has agreed, and when it is carried out if that is later."""
    waits = request.state is State.SCHEDULED
    tell_requester(session, request, "request_approved", carried_out_at=request.baton_due if waits else None)


def tell_rejected(session: Session, request: Request) -> None:
    """Tell the requester that somebody said no, and the reason."""
    tell_requester(session, request, "request_rejected")


def card_of(request: Request, stage: Stage) -> dict[str, Any]:
    """The decision card as a mail shows it; texts are plain."""
    document = document_of(request.version)
    return {
        "stage": stage.name,
        "requester": request.requester.name,
        "beneficiary": request.beneficiary.name,
        "for_themselves": request.requester_id == request.beneficiary_id,
        "reason": request.reason,
        "risk": request.risk["level"],
        "risk_reasons": [document.say(said(reason["because"])) for reason in request.risk["reasons"]],
        # Not spoken yet: each mail is in its reader's language.
        "lines": [
            (line["change"], said(line["text"]))
            for plan in request.plans
            for line in plan["lines"]
            if not line.get("technical", False)
        ],
        "irreversible": said_alike(lambda: document.spoken().cannot_be_undone),
        "due_at": stage.due_at,
        "ends_at": known_end(request, document),
    }


def _people(session: Session, numbers: Collection[int] | Mapping[int, str]) -> list[Person]:
    statement = select(Person).where(Person.id.in_(list(numbers)), Person.active).order_by(Person.id)
    return list(session.scalars(statement))
