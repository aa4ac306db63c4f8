"""Pages of what is live for the person who is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.entitlements.ending import give_back as give_back_now
from catalog.entitlements.queries import entitlements_of
from portal.core.http import reading, render, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("entitlements", __name__, url_prefix="/entitlements")


@blueprint.get("")
@signed_in
def index() -> Response:
    """What I hold, or with `?show=ended` what I held."""
    actor = current_actor()
    ended = request.args.get("show") == "ended"
    before = request.args.get("before", type=int)
    with reading() as session:
        lines, following = entitlements_of(session, actor, ended=ended, before=before)
    show = "ended" if ended else None
    return render(
        "catalog/entitlements/index.html",
        lines=lines,
        ended=ended,
        older_url=url_for("entitlements.index", before=following, show=show) if following else "",
        newest_url=url_for("entitlements.index", show=show) if before is not None else "",
    )


@blueprint.post("/<int:entitlement_id>/give-back")
@signed_in
def give_back(entitlement_id: int) -> BaseResponse:
    """Have what I hold taken away now."""
    with transaction() as session:
        label = spoken(give_back_now(session, current_actor(), entitlement_id).label)
    flash(_("You gave this back: %(label)s. It is taken away within a minute.", label=label), "success")
    return redirect(url_for("entitlements.index"), 303)
