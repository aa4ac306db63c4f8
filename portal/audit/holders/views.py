"""The page of the checkpoint holders: operators look after them, compliance and auditors look on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.audit.holders.configured import Holders
from portal.audit.holders.hand_over import hand_out_now
from portal.audit.holders.presenters import holders_page
from portal.core.http import reading, render, services, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission

blueprint = Blueprint("holders", __name__, url_prefix="/ledger/holders")


@blueprint.get("")
@requires(Permission.READ_HOLDERS)
def index() -> Response:
    """Who holds which checkpoint, since when, and what the last try said."""
    actor = current_actor()
    with reading() as session:
        page = holders_page(session, services().get(Holders), ZoneInfo(actor.timezone))
    return render(
        "portal/audit/holders/index.html",
        holders=page,
        may_try=actor.may(Permission.OPERATE),
        reads_ledger=actor.may(Permission.READ_LEDGER),
    )


@blueprint.post("/try")
@requires(Permission.OPERATE)
@takes()
def try_now() -> BaseResponse:
    """Have every holder that lacks the last checkpoint tried without its pause."""
    with transaction() as session:
        hand_out_now(session)
    flash(_("Every holder that lacks the last checkpoint is tried within seconds."), "success")
    return redirect(url_for("holders.index"), 303)
