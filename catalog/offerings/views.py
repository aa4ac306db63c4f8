"""The catalogue's pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from catalog.offerings.catalogue import groups_named, page_of
from catalog.offerings.queries import document_of
from catalog.ordering.bulk.columns import takes_bulk
from catalog.ordering.favourites import is_starred
from catalog.ordering.shelf import get_offering_for, shelf_of
from catalog.ordering.times import times_for
from catalog.requests.route import Router
from portal.core.http import reading, render, services
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Group

blueprint = Blueprint("catalogue", __name__)

LONGEST_SEARCH = 200


@blueprint.get("/catalogue")
@signed_in
def index() -> Response:
    """Every offering that is for the reader, by category, with what they and their unit use most; `q` narrows it."""
    term = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    with reading() as session:
        shelf = shelf_of(session, current_actor(), _router(), term)
    return render("catalog/offerings/index.html", shelf=shelf, term=term)


@blueprint.get("/catalogue/<slug>")
@signed_in
def show(slug: str) -> Response:
    """One offering in full, with the way to start."""
    actor = current_actor()
    with reading() as session:
        person, version = get_offering_for(session, actor, slug)
        document = document_of(version)
        names = session.execute(select(Group.slug, Group.name).where(Group.slug.in_(groups_named(document))))
        group_names = {group_slug: name for group_slug, name in names}  # noqa: C416  (rows type as tuples only when unpacked)
        times = times_for(session, person, version, _router())
        starred = is_starred(session, actor, version.offering_id)
    return render(
        "catalog/offerings/show.html",
        offering=page_of(document, number=version.number, group_names=group_names, times=times),
        start_url=url_for("requests.new", slug=slug),
        starred=starred,
        takes_bulk=takes_bulk(document),
    )


def _router() -> Any:
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
