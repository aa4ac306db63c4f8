"""The page of erasures and holds, for compliance and administrators."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import FieldError
from portal.core.http import reading, render, services, takes, transaction
from portal.core.language import _
from portal.core.settings import Settings
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from reports.erasing.forms import HoldForm
from reports.erasing.holds import lift_hold, place_hold
from reports.erasing.presenters import erasing_page

blueprint = Blueprint("erasing", __name__, url_prefix="/erasures")


@blueprint.get("")
@requires(Permission.PLACE_HOLDS)
def index() -> Response:
    """What is kept how long, what is on hold, and what went."""
    return _page(HoldForm())


@blueprint.post("/holds")
@requires(Permission.PLACE_HOLDS)
@takes("kind", "target", "first_day", "last_day", "reason")
def place() -> BaseResponse:
    """Place a hold."""
    form = HoldForm(request.form)
    try:
        with transaction() as session:
            place_hold(session, current_actor(), form.wanted(), str(form.reason.data or ""))
    except FieldError as problem:
        form.tell(problem)
        return _page(form, status=422)
    flash(
        _("The hold is in force. Nothing that it covers is erased or retired until it is lifted."), "success"
    )
    return redirect(url_for("erasing.index"), 303)


@blueprint.post("/holds/<int:hold_id>/lift")
@requires(Permission.PLACE_HOLDS)
@takes("because")
def lift(hold_id: int) -> BaseResponse:
    """Lift a hold that somebody else placed."""
    with transaction() as session:
        lift_hold(session, current_actor(), hold_id, request.form.get("because", ""))
    flash(_("The hold is lifted."), "success")
    return redirect(url_for("erasing.index"), 303)


def _page(form: HoldForm, *, status: int = 200) -> Response:
    with reading() as session:
        page = erasing_page(session, current_actor(), services().get(Settings).retention)
    return render("reports/erasing/index.html", status, form=form.speak(), erasing=page)
