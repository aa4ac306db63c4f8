"""Pages around ordering: favourites, an order for several people, and one page over all its requests."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.offerings.audience import get_visible_version
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.several import people_in
from catalog.ordering.favourites import remove, save_answers
from catalog.ordering.favourites import star as star_offering
from catalog.ordering.favourites import unstar as unstar_offering
from catalog.ordering.groups import group_page
from catalog.ordering.several import preview, submit_draft_for
from catalog.requests.drafts import get_draft
from catalog.requests.shared_views import back_to_form, begun, connectors, what_changed, where_sent
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors
from portal.core.http import reading, render, takes, transaction
from portal.core.language import _, ngettext, spoken
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("ordering", __name__)


@blueprint.post("/catalogue/<slug>/star")
@signed_in
@takes()
def star(slug: str) -> BaseResponse:
    """Put the service among the reader's favourites."""
    with transaction() as session:
        star_offering(
            session, current_actor(), get_visible_version(session, current_actor(), slug).offering_id
        )
    flash(_("It is among your favourites. You find them on top of the catalogue."), "success")
    return redirect(url_for("catalogue.show", slug=slug), 303)


@blueprint.post("/catalogue/<slug>/unstar")
@signed_in
@takes()
def unstar(slug: str) -> BaseResponse:
    """Take the service out of the reader's favourites."""
    with transaction() as session:
        unstar_offering(
            session, current_actor(), get_visible_version(session, current_actor(), slug).offering_id
        )
    flash(_("It is no longer among your favourites."), "success")
    return redirect(url_for("catalogue.show", slug=slug), 303)


@blueprint.post("/favourites/<int:number>/remove")
@signed_in
@takes()
def remove_favourite(number: int) -> BaseResponse:
    """Throw a favourite away."""
    with transaction() as session:
        remove(session, current_actor(), number)
    flash(_("The favourite is removed."), "success")
    return redirect(url_for("catalogue.index"), 303)


@blueprint.post("/drafts/<token>/favourite")
@signed_in
@takes("name")
def save_favourite(token: str) -> BaseResponse:
    """Keep a draft's answers under a name."""
    try:
        with transaction() as session:
            save_answers(session, current_actor(), token, request.form.get("name", ""))
    except FieldError as error:
        flash(spoken(error.message), "warning")
    else:
        flash(_("Your answers are kept among your favourites, on top of the catalogue."), "success")
    return redirect(url_for("requests.review", token=token), 303)


@blueprint.get("/drafts/<token>/people")
@signed_in
def people(token: str) -> BaseResponse:
    """Look an order for several people over before it is sent."""
    actor = current_actor()
    with reading() as session:
        if sent := where_sent(session, get_draft(session, actor, token)):
            return sent
        draft, version = begun(session, token)
        document = document_of(version)
        names = people_in(document, draft.answers)
        if not names:
            return redirect(url_for("requests.review", token=token), 303)
        try:
            found = preview(session, actor, draft, version, names=names, connectors=connectors())
        except FieldErrors:
            return back_to_form(version, token)
        at = now(session).astimezone(ZoneInfo(actor.timezone))
        reviewed = digest(dict(draft.answers))
    return render(
        "catalog/ordering/people.html",
        people=found,
        offering=document.spoken().name,
        edit_url=url_for("requests.new", slug=document.slug, draft=token),
        token=token,
        version_id=version.id,
        reviewed=reviewed,
        stopped=any(one.problems for one in found),
        now=at,
    )


@blueprint.post("/drafts/<token>/people/submit")
@signed_in
@takes("version", "reviewed")
def submit_people(token: str) -> BaseResponse:
    """Submit a request for each of the people. The same form posted twice makes one order."""
    actor = current_actor()
    with reading() as session:
        if sent := where_sent(session, get_draft(session, actor, token)):
            return sent
        draft, version = begun(session, token)
        document = document_of(version)
        names = people_in(document, draft.answers)
        raw = dict(draft.answers)
        try:
            found = preview(session, actor, draft, version, names=names, connectors=connectors())
        except FieldErrors:
            return back_to_form(version, token)
    changed = what_changed(digest(raw), version)
    if changed or not found or any(one.problems for one in found):
        flash(
            changed or _("Something changed while you were asking. Look everything over once more."),
            "warning",
        )
        return redirect(url_for("ordering.people", token=token), 303)
    try:
        with transaction() as session:
            again = session.get_one(OfferingVersion, version.id)
            answers = [one.answers for one in found]
            group_id = submit_draft_for(session, actor, token, raw=raw, version=again, answers=answers).id
    except FieldErrors:
        return back_to_form(version, token)
    except Conflict as conflict:
        flash(spoken(conflict.sentence), "warning")
        return redirect(url_for("ordering.people", token=token), 303)
    flash(
        ngettext(
            "%(number)s request is submitted. We mail you when something happens.",
            "%(number)s requests are submitted. We mail you when something happens.",
            len(found),
        ),
        "success",
    )
    return redirect(url_for("ordering.show", group_id=group_id), 303)


@blueprint.get("/orders/<int:group_id>")
@signed_in
def show(group_id: int) -> Response:
    """One page over all the requests of an order."""
    with reading() as session:
        page = group_page(session, current_actor(), group_id)
    return render("catalog/ordering/show.html", order=page)
