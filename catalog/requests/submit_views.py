"""Pages of sending a form: the review, and the one button that submits."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.offerings.queries import document_of
from catalog.offerings.several import people_in
from catalog.requests.blueprint import blueprint
from catalog.requests.checking import check_draft
from catalog.requests.drafts import get_draft
from catalog.requests.review import review_page
from catalog.requests.shared_views import back_to_form, begun, connectors, router, what_changed, where_sent
from catalog.requests.submit import submit as submit_draft
from portal.core.errors import Conflict, FieldError, FieldErrors
from portal.core.http import reading, render, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, signed_in


@blueprint.get("/drafts/<token>/review")
@signed_in
def review(token: str) -> BaseResponse:
    """Everything that would follow, before it does."""
    actor = current_actor()
    with reading() as session:
        if sent := where_sent(session, get_draft(session, actor, token)):
            return sent
        draft, version = begun(session, token)
        if people_in(document_of(version), draft.answers):
            return redirect(url_for("ordering.people", token=token), 303)
        try:
            checked = check_draft(session, actor, draft, version, connectors())
            page = review_page(session, actor, checked, version, connectors=connectors(), router=router())
        except (FieldErrors, FieldError):
            return back_to_form(version, token)
    return render("catalog/requests/review.html", review=page)


@blueprint.post("/drafts/<token>/submit")
@signed_in
@takes("version", "reviewed", "confirmed")
def submit(token: str) -> BaseResponse:
    """Submit the draft. The same form posted twice makes one request."""
    actor = current_actor()
    again = redirect(url_for("requests.review", token=token), 303)
    with reading() as session:
        if sent := where_sent(session, get_draft(session, actor, token)):
            return sent
        draft, version = begun(session, token)
        try:
            checked = check_draft(session, actor, draft, version, connectors())
        except FieldErrors:
            return back_to_form(version, token)
    if changed := what_changed(checked.digest, version):
        flash(changed, "warning")
        return again
    try:
        with transaction() as session:
            reference = submit_draft(
                session, actor, checked, confirmed=request.form.get("confirmed", "")
            ).reference
    except (FieldErrors, FieldError):
        return back_to_form(version, token)
    except Conflict as conflict:
        flash(spoken(conflict.sentence), "warning")
        return again
    flash(
        _("%(reference)s is submitted. We mail you when something happens.", reference=reference), "success"
    )
    return redirect(url_for("requests.show", reference=reference), 303)
