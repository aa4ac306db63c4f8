"""Forms of the conversation: ask, answer, propose, accept, comment."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.conversation.accept import accept, decline
from approvals.conversation.answer import answer as answer_it
from approvals.conversation.ask import ask as ask_it
from approvals.conversation.comment import comment as comment_it
from approvals.conversation.proposal_views import proposed_answers, show_proposal, take_proposal
from approvals.decisions.changes import SealChanged
from approvals.decisions.right import NotYours
from approvals.decisions.views import card_page
from catalog.requests.conversation import Typed
from catalog.requests.queries import find_id, request_for
from catalog.requests.route import Router
from catalog.requests.views import page_of
from portal.core.errors import Conflict, FieldError, FieldErrors, NotFound, PortalError
from portal.core.http import services, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("conversation", __name__)


@blueprint.post("/approvals/<reference>/question")
@signed_in
@takes("question", "seal")
def ask(reference: str) -> BaseResponse:
    """Ask the requester something instead of deciding yet."""
    question = request.form.get("question", "")
    try:
        with transaction() as session:
            ask_it(
                session,
                current_actor(),
                _number(session, reference),
                question=question,
                seal=request.form.get("seal", ""),
            )
    except (Conflict, FieldError, NotYours) as problem:
        return _card(reference, "question", question, problem)
    flash(_("You asked about %(reference)s. The answer comes back to you.", reference=reference), "success")
    return redirect(url_for("approvals.show", reference=reference), 303)


@blueprint.post("/requests/<reference>/answer")
@signed_in
@takes("answer", "remark")
def answer(reference: str) -> BaseResponse:
    """The requester's answer to a question."""
    text = request.form.get("answer", "")
    remark = request.form.get("remark", 0, type=int)
    try:
        with transaction() as session:
            found = request_for(session, current_actor(), reference, router())
            answer_it(session, current_actor(), found.id, remark, text=text)
    except FieldError as problem:
        return page_of(reference, typed=Typed("answer", remark, text, problem.message), status=problem.status)
    except Conflict as problem:
        flash(problem.sentence, "warning")
        return redirect(url_for("requests.show", reference=reference), 303)
    flash(_("Your answer is on its way, and the clock runs again."), "success")
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.post("/requests/<reference>/comments")
@signed_in
@takes("comment", "place")
def comment(reference: str) -> BaseResponse:
    """A comment by anybody who may see the request; `place` says on which of its two pages it was written."""
    text = request.form.get("comment", "")
    on_card = request.form.get("place") == "card"
    try:
        with transaction() as session:
            comment_it(session, current_actor(), reference, text=text, router=router())
    except FieldError as problem:
        if on_card:
            return _card(reference, "comment", text, problem)
        return page_of(reference, typed=Typed("comment", 0, text, problem.message), status=problem.status)
    flash(_("Your comment stands on the request's page."), "success")
    endpoint = "approvals.show" if on_card else "requests.show"
    return redirect(url_for(endpoint, reference=reference), 303)


@blueprint.route("/approvals/<reference>/proposal", methods=["GET", "POST"])
@signed_in
def propose(reference: str) -> BaseResponse:
    """The offering's own form with the answers as they are: what an approver would agree to instead."""
    if request.method == "GET":
        return show_proposal(reference)
    try:
        return take_proposal(reference)
    except (Conflict, NotYours) as problem:
        return _card(reference, "", "", problem)


@blueprint.post("/requests/<reference>/proposal")
@signed_in
@takes("remark", "reply", "decision")
def reply(reference: str) -> BaseResponse:
    """The requester takes the proposal over, or keeps the request as it is."""
    remark = request.form.get("remark", 0, type=int)
    text = request.form.get("reply", "")
    accepting = request.form.get("decision") == "accept"
    try:
        if accepting:
            answers = proposed_answers(reference, remark)
        with transaction() as session:
            number = request_for(session, current_actor(), reference, router()).id
            if accepting:
                accept(session, current_actor(), number, remark, answers=answers, reply=text)
            else:
                decline(session, current_actor(), number, remark, reply=text)
    except FieldError as problem:
        return page_of(reference, typed=Typed("reply", remark, text, problem.message), status=problem.status)
    except FieldErrors as problem:
        sentence = _(
            "The proposal cannot be taken over as it is: %(why)s",
            why=" ".join(e.message for e in problem.errors),
        )
        return page_of(reference, typed=Typed("reply", remark, text, sentence), status=problem.status)
    except Conflict as problem:
        flash(problem.sentence, "warning")
        return redirect(url_for("requests.show", reference=reference), 303)
    flash(
        _(
            "The request is changed as proposed. It is prepared again, and whoever had approved is asked again."
        )
        if accepting
        else _("The request stays as it is, and the clock runs again."),
        "success",
    )
    return redirect(url_for("requests.show", reference=reference), 303)


def router() -> Any:
    """The router that wiring made."""
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol


def _number(session: Any, reference: str) -> int:
    number = find_id(session, reference)
    if number is None:
        raise NotFound(_("There is no such request, or you were not asked to decide it."))
    return number


def _card(reference: str, form: str, text: str, problem: PortalError) -> Response:
    """The decision card again, with what was typed; of whoever was never asked it is not found."""
    if isinstance(problem, SealChanged):
        return card_page(reference, problem=problem, changes=problem.changes, typed=Typed(form, 0, text))
    if isinstance(problem, FieldError):
        return card_page(reference, typed=Typed(form, 0, text, problem.message), status=problem.status)
    return card_page(reference, problem=problem, typed=Typed(form, 0, text))
