"""The form by which an approver leaves a decision to somebody else."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.decisions.changes import SealChanged
from approvals.decisions.right import NotYours
from approvals.decisions.views import card_page
from approvals.reassigning.reassign import reassign as reassign_it
from catalog.requests.conversation import Typed
from catalog.requests.queries import find_id
from portal.core.errors import Conflict, FieldError, NotFound
from portal.core.http import settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("reassigning", __name__)


@blueprint.post("/approvals/<reference>/reassignment")
@signed_in
@takes("person", "reason", "seal")
def reassign(reference: str) -> BaseResponse:
    """Leave the decision to the chosen person."""
    to = request.form.get("person", 0, type=int)
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            number = find_id(session, reference)
            if number is None:
                raise NotFound(_("There is no such request, or you were not asked to decide it."))
            reassign_it(
                session,
                current_actor(),
                number,
                to=to,
                reason=reason,
                seal=request.form.get("seal", ""),
                settings=settings(),
            )
    except SealChanged as problem:
        return card_page(
            reference, problem=problem, changes=problem.changes, typed=Typed("reassign", to, reason)
        )
    except FieldError as problem:
        return card_page(
            reference, typed=Typed("reassign", to, reason, problem.message), status=problem.status
        )
    except (Conflict, NotYours) as problem:
        return card_page(reference, problem=problem, typed=Typed("reassign", to, reason))
    flash(_("You left %(reference)s to somebody else. Both of you are told.", reference=reference), "success")
    return redirect(url_for("approvals.index"), 303)
