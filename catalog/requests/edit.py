"""Editing: the requester changes the answers while nobody has decided for good; every approval so far is void."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.extending.orders import find_extension
from catalog.offerings.rules import broken_rules, kind_of
from catalog.reconciliation.model import Finding
from catalog.requests import tags
from catalog.requests.context import context_for
from catalog.requests.duplicates import likeness_in
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.replan import replan
from catalog.requests.states import State
from catalog.requests.telling import tell_beneficiary
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldErrors, Forbidden
from portal.core.language import N_, _, say
from portal.identity.actor import Actor

WHY = N_("The requester changed the answers.")


def edit(session: Session, actor: Actor, request_id: int, answers: Mapping[str, Any]) -> Request:
    """Put checked answers in the place of the old ones and prepare the request again.

    Every approval so far is void in the same transaction. The same answers again change nothing. Raises
    Forbidden for anyone but the requester, Conflict once the approvals are complete, FieldErrors.
    """
    request = get_locked(session, request_id)
    insist_on_requester(actor, request)
    if request.state is not State.PENDING:
        raise Conflict(_("This request can only be changed while it waits for approval."))
    if dict(answers) == request.answers:
        return request
    if find_extension(session, request.id) is not None:
        raise Conflict(_("An extension is not changed. Withdraw it, and ask for another end."))
    _insist_on_not_found(session, request)
    # The rules' today stays the day of submitting, so that preparing finds the same facts as this check.
    context = context_for(
        session, request.version, answers, requester=request.requester, at=request.submitted_at
    )
    if broken := broken_rules(context.document, context.facts):
        raise FieldErrors(broken)
    replan(session, request, say(WHY))
    request.answers = dict(answers)
    is_new_to_it = request.beneficiary_id != context.beneficiary.id
    request.beneficiary = context.beneficiary
    request.unit_id = context.beneficiary.unit_id
    request.editor_id = request.requester_id
    request.title = context.title
    request.reason = context.reason
    request.ends_at = context.ends_at
    request.likeness = likeness_in(context)
    record(
        session,
        tags.EDITED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "revision": request.revision,
            "at": now(session).isoformat(),
            "beneficiary": f"person:{context.beneficiary.id}",
            "unit": context.beneficiary.unit.slug,
            "kind": kind_of(context.facts),
        },
        personal={"title": request.title, "reason": request.reason},
    )
    session.flush()
    if is_new_to_it:
        tell_beneficiary(session, request, "asked_for_you")
    return request


def insist_on_requester(actor: Actor, request: Request) -> None:
    """Raises Forbidden for anyone but the requester."""
    if actor.person_id is None or actor.person_id != request.requester_id:
        raise Forbidden(_("Only the person who made this request can change it."))


def _insist_on_not_found(session: Session, request: Request) -> None:
    """Raises Conflict for a request about findings: its answers name the thing and who is asked, and nobody chose them."""
    about = select(Finding.id).where(Finding.request_id == request.id).limit(1)
    if session.scalars(about).first() is not None:
        raise Conflict(
            _("A request about findings is not changed. Withdraw it, and begin again from the findings.")
        )
