"""Everybody's own page of delegations: who decides in my place, and in whose place I do."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from approvals.delegation.end import end as end_it
from approvals.delegation.forms import FIELDS, DelegationForm
from approvals.delegation.give import give as give_it
from approvals.delegation.queries import delegations_of, why_of_little_use
from catalog.offerings.form_context import Directory, label_of
from catalog.offerings.queries import document_of, published_versions
from portal.core.clock import now
from portal.core.errors import FieldErrors, PortalError
from portal.core.http import reading, render, settings, transaction
from portal.core.language import _, language
from portal.core.times import day
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Person
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("delegation", __name__, url_prefix="/me/delegations")

#: What was typed and waits for a fresh sign-in: on the server, in the session.
PENDING = "pending_delegation"
_LONGEST_KEPT, _MOST_KEPT = 300, 500


@blueprint.get("")
@signed_in
def index() -> Response:
    """The reader's delegations, and a form for another. What was typed before signing in again stands there again."""
    kept = session.pop(PENDING, None)
    return _page(DelegationForm(MultiDict(kept)) if kept else DelegationForm(), again=kept is not None)


@blueprint.post("")
@signed_in
def give() -> BaseResponse:
    """Let somebody decide in the reader's place."""
    if not FIELDS.issuperset(request.form):
        raise PortalError(
            _("This form holds something that the page does not ask for. Reload the page and try again.")
        )
    form = DelegationForm(request.form)
    # What cannot be read is no day, and stands at its field already.
    form.validate()
    actor = current_actor()
    try:
        with transaction() as db:
            delegation = give_it(db, actor, form.wish(), settings=settings())
            name = db.get_one(Person, delegation.substitute_id).name
            weak, until = why_of_little_use(db, delegation)
    except StepUpNeeded as needed:
        session[PENDING] = {
            field: [text[:_LONGEST_KEPT] for text in request.form.getlist(field)[:_MOST_KEPT]]
            for field in sorted(FIELDS - {"csrf_token"})
        }
        here = url_for("delegation.index")
        return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)
    except FieldErrors as problems:
        form.tell(problems)
        return _page(form, status=422)
    flash(_("%(name)s may decide in your place and was told by mail.", name=name), "success")
    if weak == "away" and until is not None:
        flash(_("%(name)s is away until %(day)s.", name=name, day=day(until)), "warning")
    elif weak:
        flash(
            _(
                "%(name)s has delegated their own decisions. They cannot pass yours on: nobody else decides for you.",
                name=name,
            ),
            "warning",
        )
    return redirect(url_for("delegation.index"), 303)


@blueprint.post("/<int:delegation_id>/end")
@signed_in
def end(delegation_id: int) -> BaseResponse:
    """End a delegation of the reader's, or decline one that was given to them."""
    with transaction() as db:
        end_it(db, current_actor(), delegation_id)
    flash(_("The delegation has ended. The other person was told by mail."), "success")
    return redirect(url_for("delegation.index"), 303)


def _page(form: DelegationForm, *, status: int = 200, again: bool = False) -> Response:
    actor = current_actor()
    with reading() as db:
        today = now(db).astimezone(ZoneInfo(actor.timezone)).date()
        offerings = [
            (version.offering.slug, document_of(version).in_language(language()).name)
            for version in published_versions(db)
        ]
        lines = delegations_of(db, actor)
        people = [label_of(person) for person in Directory(db).suggestions()]
    names = dict(offerings)
    return render(
        "approvals/delegation/index.html",
        status,
        form=form.speak(offerings, today),
        given=[line for line in lines if line.given],
        received=[line for line in lines if not line.given],
        names=names,
        people=people,
        again=again,
    )
