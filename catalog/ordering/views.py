"""Pages around ordering: favourites, an order for several people, and one page over all its requests."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.fulfilment.connectors.registry import Connectors
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
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors
from portal.core.http import reading, render, services, transaction
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("ordering", __name__)


@blueprint.post("/catalogue/<slug>/star")
@signed_in
def star(slug: str) -> BaseResponse:
    """Put the service among the reader's favourites."""
    with transaction() as session:
        star_offering(
            session, current_actor(), get_visible_version(session, current_actor(), slug).offering_id
        )
    flash("It is among your favourites. You find them on top of the catalogue.", "success")
    return redirect(url_for("catalogue.show", slug=slug), 303)


@blueprint.post("/catalogue/<slug>/unstar")
@signed_in
def unstar(slug: str) -> BaseResponse:
    """Take the service out of the reader's favourites."""
    with transaction() as session:
        unstar_offering(
            session, current_actor(), get_visible_version(session, current_actor(), slug).offering_id
        )
    flash("It is no longer among your favourites.", "success")
    return redirect(url_for("catalogue.show", slug=slug), 303)


@blueprint.post("/favourites/<int:number>/remove")
@signed_in
def remove_favourite(number: int) -> BaseResponse:
    """Throw a favourite away."""
    with transaction() as session:
        remove(session, current_actor(), number)
    flash("The favourite is removed.", "success")
    return redirect(url_for("catalogue.index"), 303)


@blueprint.post("/drafts/<token>/favourite")
@signed_in
def save_favourite(token: str) -> BaseResponse:
    """Keep a draft's answers under a name."""
    try:
        with transaction() as session:
            save_answers(session, current_actor(), token, request.form.get("name", ""))
    except FieldError as error:
        flash(error.message, "warning")
    else:
        flash("Your answers are kept among your favourites, on top of the catalogue.", "success")
    return redirect(url_for("requests.review", token=token), 303)


@blueprint.get("/drafts/<token>/people")
@signed_in
def people(token: str) -> BaseResponse:
    """Look an order for several people over before it is sent."""
    actor = current_actor()
    with reading() as session:
        draft = get_draft(session, actor, token)
        if draft.order_group_id is not None:
            return redirect(url_for("ordering.show", group_id=draft.order_group_id), 303)
        kept = session.get_one(OfferingVersion, draft.offering_version_id)
        version = get_visible_version(session, actor, kept.offering.slug)
        document = document_of(version)
        names = people_in(document, draft.answers)
        if not names:
            return redirect(url_for("requests.review", token=token), 303)
        try:
            found = preview(session, actor, draft, version, names=names, connectors=_connectors())
        except FieldErrors:
            return _back_to_form(document.slug, token)
        at = now(session).astimezone(ZoneInfo(actor.timezone))
    return render(
        "catalog/ordering/people.html",
        people=found,
        offering=document.name,
        edit_url=url_for("requests.new", slug=document.slug, draft=token),
        token=token,
        version_id=version.id,
        stopped=any(one.problems for one in found),
        now=at,
    )


@blueprint.post("/drafts/<token>/people/submit")
@signed_in
def submit_people(token: str) -> BaseResponse:
    """Submit a request for each of the people. The same form posted twice makes one order."""
    actor = current_actor()
    with reading() as session:
        draft = get_draft(session, actor, token)
        if draft.order_group_id is not None:
            return redirect(url_for("ordering.show", group_id=draft.order_group_id), 303)
        kept = session.get_one(OfferingVersion, draft.offering_version_id)
        version = get_visible_version(session, actor, kept.offering.slug)
        document = document_of(version)
        names = people_in(document, draft.answers)
        raw = dict(draft.answers)
        try:
            found = preview(session, actor, draft, version, names=names, connectors=_connectors())
        except FieldErrors:
            return _back_to_form(document.slug, token)
    if not found or request.form.get("version", type=int) != version.id or any(o.problems for o in found):
        flash("Something changed while you were asking. Look everything over once more.", "warning")
        return redirect(url_for("ordering.people", token=token), 303)
    try:
        with transaction() as session:
            again = session.get_one(OfferingVersion, version.id)
            answers = [one.answers for one in found]
            group_id = submit_draft_for(session, actor, token, raw=raw, version=again, answers=answers).id
    except FieldErrors:
        return _back_to_form(document.slug, token)
    except Conflict as conflict:
        flash(conflict.sentence, "warning")
        return redirect(url_for("ordering.people", token=token), 303)
    flash(f"{len(found)} requests are submitted. We mail you when something happens.", "success")
    return redirect(url_for("ordering.show", group_id=group_id), 303)


@blueprint.get("/orders/<int:group_id>")
@signed_in
def show(group_id: int) -> Response:
    """One page over all the requests of an order."""
    with reading() as session:
        page = group_page(session, current_actor(), group_id)
    return render("catalog/ordering/show.html", order=page)


def _back_to_form(slug: str, token: str) -> BaseResponse:
    return redirect(url_for("requests.new", slug=slug, draft=token, check=1), 303)


def _connectors() -> Connectors:
    return services().get(Connectors)
