"""What people do about what is live: give back their own, end what their reports have or their applications are used for."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.entitlements.blueprint import blueprint
from catalog.entitlements.ending import end_for
from catalog.entitlements.ending import give_back as give_back_now
from catalog.entitlements.page import entitlement_page
from portal.core.errors import FieldError
from portal.core.http import reading, render, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, signed_in


@blueprint.post("/<int:entitlement_id>/give-back")
@signed_in
@takes()
def give_back(entitlement_id: int) -> BaseResponse:
    """Have what I hold taken away now."""
    with transaction() as session:
        label = spoken(give_back_now(session, current_actor(), entitlement_id).label)
    flash(_("You gave this back: %(label)s. It is taken away within a minute.", label=label), "success")
    return redirect(url_for("entitlements.index"), 303)


@blueprint.post("/<int:entitlement_id>/end")
@signed_in
@takes("reason")
def end(entitlement_id: int) -> BaseResponse:
    """Have taken away what somebody below me holds, or what opens an application of mine."""
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            label = spoken(end_for(session, current_actor(), entitlement_id, reason).label)
    except FieldError as error:
        return page_of(entitlement_id, reason=reason, reason_error=spoken(error.message), status=error.status)
    flash(_("This ends now: %(label)s. Its holder was told, with your reason.", label=label), "success")
    return redirect(url_for("entitlements.show", entitlement_id=entitlement_id), 303)


def page_of(entitlement_id: int, *, reason: str = "", reason_error: str = "", status: int = 200) -> Response:
    """The page of one entitlement, with what was typed and could not be taken."""
    with reading() as session:
        page_ = entitlement_page(session, current_actor(), entitlement_id)
    return render(
        "catalog/entitlements/show.html",
        status,
        entitlement=page_,
        reason=reason,
        reason_error=reason_error,
    )
