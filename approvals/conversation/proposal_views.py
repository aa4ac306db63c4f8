"""The page on which an approver proposes: the offering's own form, as the requester fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from approvals.conversation.difference import applied
from approvals.conversation.model import Remark
from approvals.conversation.propose import propose
from approvals.decisions.model import Verdict
from approvals.decisions.read import read_for_decision
from approvals.decisions.right import NotYours, find_stage
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.forms import OfferingForm, answers_of, build_form, posted
from catalog.offerings.presenters import AskedSection, asked_sections
from catalog.offerings.queries import document_of
from catalog.requests.checking import form_context_of
from catalog.requests.model import Request
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from portal.core.errors import FieldError, FieldErrors, NotFound
from portal.core.http import reading, render, services, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor
from portal.identity.actor import Actor

#: Names that begin with an underscore are the page's and not an answer.
REASON, SEAL = "_reason", "_seal"


def show_proposal(reference: str) -> Response:
    """The form with the answers as they are. Raises NotFound or NotYours."""
    with reading() as session:
        found = _to_be_decided(session, reference)
        return _page(found, _form(session, found, found.answers), seal=found.seal)


def take_proposal(reference: str) -> BaseResponse:
    """Propose what was posted, or show the form again. Raises what `propose` does but for errors of fields."""
    reason, seal = request.form.get(REASON, ""), request.form.get(SEAL, "")
    with reading() as session:
        found = _to_be_decided(session, reference)
        document = document_of(found.version)
        sent = posted(document, request.form, request.files)
        kept = {field.name: found.answers[field.name] for field in document.fields if _is_fixed(field, found)}
        form = _form(session, found, {**sent.raw, **kept}, sent.errors)
        if sent.more_rows or not form.validate():
            return _page(found, form, reason=reason, seal=seal, status=200 if sent.more_rows else 422)
        number = found.id
        try:
            with transaction() as writing:
                propose(writing, current_actor(), number, answers=answers_of(form), reason=reason, seal=seal)
        except FieldError as problem:
            return _page(found, form, reason=reason, seal=seal, reason_error=problem.message, status=422)
        except FieldErrors as problem:
            form.refuse(problem.errors)
            return _page(found, form, reason=reason, seal=seal, status=422)
    flash(_("Your proposal is with the requester. The answer comes back to you."), "success")
    return redirect(url_for("approvals.show", reference=reference), 303)


def proposed_answers(reference: str, remark_id: int) -> Mapping[str, Any]:
    """The answers of a proposal, checked as the form checks them now. Raises NotFound, FieldErrors."""
    router: Any = Router
    with reading() as session:
        found = request_for(session, current_actor(), reference, services().get(router))
        remark = session.get(Remark, remark_id)
        if remark is None or remark.request_id != found.id:
            raise NotFound(_("Nobody proposed this."))
        form = _form(session, found, applied(found.answers, remark.changes))
        if not form.validate():
            raise FieldErrors(
                tuple(
                    FieldError(field.name, f"{field.label.text}: {message}")
                    for field in form
                    for message in field.errors
                )
                or tuple(FieldError("", message) for message in form.form_errors)
            )
        return answers_of(form)


def _to_be_decided(session: Session, reference: str) -> Request:
    """The request, for somebody who could approve it now."""
    actor = current_actor()
    found = read_for_decision(session, actor, reference)
    if not find_stage(
        actor.person_id or 0,
        found.request,
        found.stages,
        found.decisions,
        found.eligible,
        verdict=Verdict.APPROVE,
    ):
        raise NotYours(_("Your stage of this request is not open, so there is nothing to propose."))
    return found.request


def _form(
    session: Session, found: Request, raw: Mapping[str, Any], errors: tuple[FieldError, ...] = ()
) -> OfferingForm:
    """The form as the requester sees it: their choices, their day, what they may order."""
    requester = Actor(name=found.requester.name, person_id=found.requester_id)
    _person, context = form_context_of(session, requester, services().get(Connectors))
    return build_form(document_of(found.version), context)(raw, errors)


def _is_fixed(field: Any, found: Request) -> bool:
    """Files are the requester's: a proposal keeps them as they are."""
    return field.kind == "file" and field.name in found.answers


def _sections(form: OfferingForm) -> tuple[AskedSection, ...]:
    sections = (
        replace(section, fields=tuple(asked for asked in section.fields if asked.kind != "file"))
        for section in asked_sections(form)
    )
    return tuple(section for section in sections if section.fields)


def _page(
    found: Request,
    form: OfferingForm,
    *,
    seal: str,
    reason: str = "",
    reason_error: str = "",
    status: int = 200,
) -> Response:
    return render(
        "approvals/conversation/propose.html",
        status,
        reference=found.reference,
        title=spoken(found.title),
        requester=found.requester.name,
        form=form,
        sections=_sections(form),
        reason_name=REASON,
        reason=reason,
        reason_error=reason_error,
        seal_name=SEAL,
        seal=seal,
    )
