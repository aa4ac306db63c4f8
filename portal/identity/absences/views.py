"""Everybody's own absences: those from the directory, and those that they add."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import FieldErrors, PortalError
from portal.core.http import reading, render, transaction
from portal.core.language import _
from portal.identity.absences.edit import add_absence, remove_absence
from portal.identity.absences.forms import AbsenceForm
from portal.identity.absences.queries import absences_of
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("absences", __name__, url_prefix="/me/absences")
_FIELDS = frozenset({"csrf_token", "first_day", "last_day"})


@blueprint.get("")
@signed_in
def index() -> Response:
    """The reader's absences, and a form for another."""
    return _page(AbsenceForm())


@blueprint.post("")
@signed_in
def add() -> BaseResponse:
    """Note that the reader is away."""
    if not _FIELDS.issuperset(request.form):
        raise PortalError(
            _("This form holds something that the page does not ask for. Reload the page and try again.")
        )
    form = AbsenceForm(request.form)
    # What cannot be read is no day, and stands at its field already.
    form.validate()
    try:
        with transaction() as session:
            add_absence(session, current_actor(), form.first_day.data, form.last_day.data)
    except FieldErrors as problems:
        form.tell(problems)
        return _page(form, status=422)
    flash(_("Your absence is noted. Dates that depend on you are promised accordingly."), "success")
    return redirect(url_for("absences.index"), 303)


@blueprint.post("/<int:absence_id>/remove")
@signed_in
def remove(absence_id: int) -> BaseResponse:
    """Take an absence back."""
    with transaction() as session:
        remove_absence(session, current_actor(), absence_id)
    flash(_("The absence is removed."), "success")
    return redirect(url_for("absences.index"), 303)


def _page(form: AbsenceForm, *, status: int = 200) -> Response:
    with reading() as session:
        lines = absences_of(session, current_actor())
    return render("portal/identity/absences/index.html", status, form=form.speak(), lines=lines)
