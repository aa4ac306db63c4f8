"""The page of a question whether something is still needed. Reading it decides nothing; an answer is one click."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.entitlements.blueprint import blueprint
from catalog.entitlements.model import Entitlement
from catalog.entitlements.page import find_for, question_line
from catalog.entitlements.recertifying.answering import answer as answer_it
from catalog.entitlements.recertifying.answering import get_question
from catalog.entitlements.recertifying.model import Answer
from catalog.entitlements.recertifying.people import part_of
from catalog.fulfilment.targets import called
from catalog.offerings.queries import document_of
from catalog.requests.answers import spoken_end
from catalog.requests.model import Request
from portal.core.errors import FieldError, PortalError
from portal.core.http import reading, render, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, signed_in


@blueprint.get("/questions/<int:question_id>")
@signed_in
def question(question_id: int) -> Response:
    """What is asked, why it was given, when it was last used, and two buttons."""
    return _page(question_id)


@blueprint.post("/questions/<int:question_id>")
@signed_in
@takes("answer", "said")
def answer(question_id: int) -> BaseResponse:
    """Say that it is still needed, or that it is not."""
    given, said = request.form.get("answer", ""), request.form.get("said", "")
    if given not in {one.value for one in Answer}:
        raise PortalError(_("Press one of the two buttons."))
    try:
        with transaction() as session:
            answer_it(session, current_actor(), question_id, Answer(given), said)
    except FieldError as error:
        return _page(question_id, said=said, said_error=spoken(error.message), status=error.status)
    if given == Answer.KEEP.value:
        flash(_("Thank you. You said that it is still needed."), "success")
    else:
        flash(_("Thank you. You said that it is not needed any more, so it is taken away now."), "success")
    return redirect(url_for("entitlements.question", question_id=question_id), 303)


def _page(question_id: int, *, said: str = "", said_error: str = "", status: int = 200) -> Response:
    actor = current_actor()
    with reading() as session:
        asked = get_question(session, question_id)
        if part_of(session, actor, asked) is None:
            # Whoever may see the entitlement may see what was asked of it, and answers nothing.
            find_for(session, actor, asked.entitlement_id)
        entitlement = session.get_one(Entitlement, asked.entitlement_id)
        granted = session.get_one(Request, entitlement.request_id)
        return render(
            "catalog/entitlements/question.html",
            status,
            question=question_line(session, actor, asked),
            entitlement_id=entitlement.id,
            label=spoken(entitlement.label),
            target=spoken(called(entitlement.target)),
            holder=granted.beneficiary.name,
            mine=entitlement.person_id == actor.person_id,
            offering=document_of(granted.version).spoken().name,
            reference=granted.reference,
            reason=granted.reason,
            since=entitlement.granted_at.astimezone(ZoneInfo(actor.timezone)),
            until=spoken_end(entitlement.ends_at, actor.timezone),
            said=said,
            said_error=said_error,
        )
