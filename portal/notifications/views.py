"""Everybody's own page of language and mail."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import PortalError
from portal.core.http import reading, render, transaction
from portal.core.language import _, speak
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Person
from portal.identity.people import language_of
from portal.notifications.forms import DAILY, EACH, FIELDS, MailForm
from portal.notifications.preferences import prefer

blueprint = Blueprint("mail", __name__, url_prefix="/me/mail")


@blueprint.get("")
@signed_in
def preferences() -> Response:
    """What the reader has chosen."""
    with reading() as session:
        person = session.get_one(Person, current_actor().person_id)
    form = MailForm(data={"language": language_of(person), "mails": DAILY if person.daily_mail else EACH})
    return _page(form)


@blueprint.post("")
@signed_in
def choose() -> BaseResponse:
    """Keep it."""
    if not FIELDS.issuperset(request.form):
        raise PortalError(
            _("This form holds something that the page does not ask for. Reload the page and try again.")
        )
    form = MailForm(request.form)
    if not form.hold():
        return _page(form, status=422)
    with transaction() as session:
        prefer(session, current_actor(), language=form.language.data, daily=form.mails.data == DAILY)
    speak(form.language.data)
    flash(_("Your choice is kept."), "success")
    return redirect(url_for("mail.preferences"), 303)


def _page(form: MailForm, *, status: int = 200) -> Response:
    return render("portal/notifications/preferences.html", status, form=form.speak())
