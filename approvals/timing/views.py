"""The button with which a requester asks the approvers to look."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response

from approvals.timing.nudge import nudge as nudge_them
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from portal.core.errors import Conflict
from portal.core.http import services, settings, takes, transaction
from portal.core.language import _, ngettext
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("timing", __name__)


@blueprint.post("/requests/<reference>/nudge")
@signed_in
@takes()
def nudge(reference: str) -> Response:
    """Ask whoever still has to decide to look, at most once a working day."""
    actor = current_actor()
    router = services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
    try:
        with transaction() as session:
            found = request_for(session, actor, reference, router)
            told = nudge_them(session, actor, found.id, settings=settings())
    except Conflict as early:
        flash(early.sentence, "warning")
    else:
        if told:
            flash(
                ngettext("%(number)s person was told by mail.", "%(number)s people were told by mail.", told),
                "success",
            )
        else:
            flash(_("Nobody could be told."), "warning")
    return redirect(url_for("requests.show", reference=reference), 303)
