"""Deciding several requests at once: chosen in the inbox, looked over, each with an outcome of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.bulk.chosen import Chosen, decide_chosen, step_up_for
from approvals.conversation.words import checked
from approvals.decisions.model import Verdict
from approvals.decisions.views import OUTCOMES
from portal.core.errors import FieldError, PortalError
from portal.core.http import reading, render, settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("chosen", __name__)

#: What waits for a fresh sign-in, on the server, in the session.
PENDING = "pending_choice"


@blueprint.get("/approvals/chosen")
@signed_in
def show() -> BaseResponse:
    """What was chosen and is not decided yet: after a new sign-in the person presses once more."""
    kept = session.get(PENDING)
    if not kept:
        return redirect(url_for("approvals.index"), 303)
    return _page(Chosen.read(kept["chosen"]), Verdict(kept["decision"]), kept["comment"], again=kept["again"])


@blueprint.post("/approvals/chosen")
@signed_in
@takes("chosen", "comment", "decision", "again")
def decide() -> BaseResponse:
    """Decide each of them on its own; one that cannot be decided stops none of the others."""
    chosen = Chosen.read(request.form.getlist("chosen"))
    verdict = _verdict()
    comment = request.form.get("comment", "")
    if not chosen:
        flash(
            _("Choose at least one request. Only those whose card you have opened can be chosen."), "warning"
        )
        return redirect(url_for("approvals.index"), 303)
    try:
        missing = _("Write why you deny them; the requesters read this.") if verdict is Verdict.DENY else ""
        comment = checked(comment, "comment", missing=missing)
    except FieldError as problem:
        return _page(chosen, verdict, comment, error=problem.message, status=problem.status)
    if not request.form.get("again"):
        with reading() as db:
            needed = step_up_for(db, current_actor(), chosen, settings=settings())
        if needed is not None:
            session[PENDING] = {
                "chosen": [str(one) for one in chosen],
                "decision": verdict.value,
                "comment": comment,
                "again": True,
            }
            here = url_for("chosen.show")
            return redirect(
                url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303
            )
    session[OUTCOMES] = [_outcome(one, verdict, comment) for one in chosen]
    session.pop(PENDING, None)
    return redirect(url_for("approvals.index"), 303)


def _outcome(one: Chosen, verdict: Verdict, comment: str) -> dict[str, Any]:
    try:
        with transaction() as db:
            decide_chosen(db, current_actor(), one, verdict=verdict, comment=comment, settings=settings())
    except PortalError as problem:
        return {"reference": one.reference, "decision": "", "sentence": problem.sentence}
    return {"reference": one.reference, "decision": verdict.value, "sentence": ""}


def _page(
    chosen: tuple[Chosen, ...],
    verdict: Verdict,
    comment: str,
    *,
    again: bool = False,
    error: str = "",
    status: int = 200,
) -> Response:
    return render(
        "approvals/bulk/show.html",
        status,
        chosen=[(one.reference, str(one)) for one in chosen],
        decision=verdict.value,
        comment=comment,
        again=again,
        comment_error=error,
    )


def _verdict() -> Verdict:
    try:
        return Verdict(request.form.get("decision", ""))
    except ValueError:
        raise PortalError(_("Choose whether you approve or deny.")) from None
