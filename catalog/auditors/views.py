"""Administrators' pages of auditors' accounts: which there are, a new one, another scope or other days, and the end."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from catalog.auditors.forms import FIELDS, MandateForm
from catalog.auditors.queries import check_offerings, mandates, offerings_to_choose, units_to_choose
from portal.core.clock import now
from portal.core.errors import FieldError, NotFound
from portal.core.http import reading, render, settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, requires
from portal.identity.auditors.giving import Wish, change_mandate, end_mandate, give_mandate
from portal.identity.auditors.reading import zone_of
from portal.identity.model import Person
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUp, StepUpNeeded

blueprint = Blueprint("auditors", __name__, url_prefix="/auditors")


@blueprint.get("")
@requires(Permission.APPOINT_AUDITORS)
def index() -> Response:
    """The accounts that audit, and the form for another."""
    return _page(MandateForm())


@blueprint.post("")
@requires(Permission.APPOINT_AUDITORS)
@takes(*FIELDS)
def give() -> BaseResponse:
    """Make an account an auditor's."""
    form = MandateForm(request.form)
    form.validate()
    try:
        with transaction() as session:
            _check_sign_in(now(session))
            wish = check_offerings(session, form.wish())
            mandate = give_mandate(session, current_actor(), form.person.data or "", wish)
            name = session.get_one(Person, mandate.person_id).name
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("auditors.index"))
    except FieldError as problem:
        form.tell(problem)
        return _page(form, status=problem.status)
    flash(_("%(name)s audits. We have told them by mail.", name=name), "success")
    return redirect(url_for("auditors.index"), 303)


@blueprint.get("/<int:mandate_id>")
@requires(Permission.APPOINT_AUDITORS)
def show(mandate_id: int) -> Response:
    """One mandate, to be changed or ended."""
    return _one(mandate_id)


@blueprint.post("/<int:mandate_id>")
@requires(Permission.APPOINT_AUDITORS)
@takes(*(name for name in FIELDS if name != "person"))
def change(mandate_id: int) -> BaseResponse:
    """Say other days or another scope."""
    form = MandateForm(request.form)
    form.validate()
    try:
        with transaction() as session:
            _check_sign_in(now(session))
            change_mandate(session, current_actor(), mandate_id, check_offerings(session, form.wish()))
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("auditors.show", mandate_id=mandate_id))
    except FieldError as problem:
        form.tell(problem)
        return _one(mandate_id, form, status=problem.status)
    flash(_("What this account may see is changed."), "success")
    return redirect(url_for("auditors.index"), 303)


@blueprint.post("/<int:mandate_id>/end")
@requires(Permission.APPOINT_AUDITORS)
@takes()
def end(mandate_id: int) -> BaseResponse:
    """End it now."""
    with transaction() as session:
        end_mandate(session, current_actor(), mandate_id)
    flash(_("This account sees nothing any more."), "success")
    return redirect(url_for("auditors.index"), 303)


def _filled(wish: Wish) -> MandateForm:
    days = {
        "first_day": wish.first_day,
        "last_day": wish.last_day,
        "since": wish.since,
        "until": wish.until,
    }
    typed = [(name, day.isoformat()) for name, day in days.items() if day is not None]
    typed += [("units", slug) for slug in wish.units]
    typed += [("offerings", slug) for slug in wish.offerings]
    return MandateForm(MultiDict(typed))


def _check_sign_in(at: datetime) -> None:
    # It opens the portal to somebody for months, so an open browser that somebody found is not enough for it.
    StepUp.of(settings()).check(current_actor(), risk="medium", acr="", at=at)


def _sign_in_again(needed: StepUpNeeded, here: str) -> BaseResponse:
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)


def _page(form: MandateForm, *, status: int = 200) -> Response:
    with reading() as session:
        lines = mandates(session)
        form.speak(units_to_choose(session), offerings_to_choose(session), str(zone_of(session)))
    return render("catalog/auditors/index.html", status, lines=lines, form=form)


def _one(mandate_id: int, form: MandateForm | None = None, *, status: int = 200) -> Response:
    with reading() as session:
        found = mandates(session, only=mandate_id)
        if not found:
            raise NotFound(_("There is no such mandate."))
        form = form or _filled(found[0].wish)
        form.speak(units_to_choose(session), offerings_to_choose(session), str(zone_of(session)))
    return render("catalog/auditors/show.html", status, line=found[0], form=form)
