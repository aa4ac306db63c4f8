"""The form of a campaign: what is asked about, looked over with counts by reviewer, and then opened as it was seen."""

from __future__ import annotations

from datetime import date

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.access_reviews.blueprint import blueprint
from catalog.access_reviews.model import AtEnd
from catalog.access_reviews.opening import Preview, open_review, preview
from catalog.access_reviews.proposing import Proposal
from catalog.access_reviews.scope import RISKS, Scope, choices_of
from portal.core.errors import Conflict, FieldError, FieldErrors
from portal.core.http import reading, render, takes, transaction
from portal.core.language import _, ngettext
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission

_LISTS = ("target", "offering", "unit", "owned", "risk")
#: Of each list of a scope as many are taken.
_MOST = 500


@blueprint.get("/new")
@requires(Permission.RUN_ACCESS_REVIEWS)
def new() -> Response:
    """An empty form."""
    return _form()


@blueprint.post("/new")
@requires(Permission.RUN_ACCESS_REVIEWS)
@takes(*_LISTS, "name", "reason", "granted_before", "last_day", "at_end", "more_days", "seen", "step")
def make() -> BaseResponse:
    """Look it over, or open what was looked over."""
    actor = current_actor()
    try:
        proposal = _proposal()
        if request.form.get("step") != "open":
            with reading() as session:
                return _form(looked_over=preview(session, actor, proposal))
        try:
            with transaction() as session:
                review = open_review(session, actor, proposal, seen=request.form.get("seen", ""))
                number, total = review.id, review.total
        except Conflict as conflict:
            with reading() as session:
                return _form(
                    looked_over=preview(session, actor, proposal),
                    errors=(FieldError("scope", conflict.sentence),),
                    status=conflict.status,
                )
    except FieldError as error:
        return _form(errors=(error,), status=error.status)
    except FieldErrors as errors:
        return _form(errors=errors.errors, status=errors.status)
    flash(
        ngettext(
            "The access review is open, and its reviewers were told of %(number)s item.",
            "The access review is open, and its reviewers were told of %(number)s items.",
            total,
        ),
        "success",
    )
    return redirect(url_for("access_reviews.show", review_id=number), 303)


def _proposal() -> Proposal:
    form = request.form
    lists = {name: tuple(form.getlist(name))[:_MOST] for name in _LISTS}
    more = form.get("more_days", "")
    if form.get("at_end") not in {one.value for one in AtEnd}:
        raise FieldError("at_end", _("Choose what becomes of what nobody answers."))
    return Proposal(
        name=form.get("name", ""),
        reason=form.get("reason", ""),
        scope=Scope(
            targets=lists["target"],
            offerings=lists["offering"],
            units=lists["unit"],
            owned=lists["owned"],
            risks=tuple(risk for risk in lists["risk"] if risk in RISKS),
            granted_before=_day("granted_before"),
        ),
        last_day=_day("last_day"),
        at_end=AtEnd(form["at_end"]),
        more_days=int(more) if more.isdecimal() and len(more) <= len("999") else 0,
    )


def _day(name: str) -> date | None:
    text = request.form.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FieldError(name, _("Give a day, such as 31 12 2027.")) from None


def _form(
    *, looked_over: Preview | None = None, errors: tuple[FieldError, ...] = (), status: int = 200
) -> Response:
    with reading() as session:
        choices = choices_of(session)
    return render(
        "catalog/access_reviews/new.html",
        status,
        choices=choices,
        risks=RISKS,
        typed=request.form,
        lists={name: request.form.getlist(name) for name in _LISTS},
        looked_over=looked_over,
        errors={error.field: error.message for error in errors},
    )
