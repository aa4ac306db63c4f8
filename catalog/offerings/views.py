"""The catalogue's pages."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from catalog.offerings.audience import get_visible_version, visible
from catalog.offerings.catalogue import categories_of, groups_named, page_of
from catalog.offerings.queries import document_of, published_versions
from portal.core.http import reading, render
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Group

blueprint = Blueprint("catalogue", __name__)

LONGEST_SEARCH = 200


@blueprint.get("/catalogue")
@signed_in
def index() -> Response:
    """Every offering, by category; `q` narrows it."""
    term = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    with reading() as session:
        versions = visible(session, current_actor(), published_versions(session))
        documents = [document_of(version) for version in versions]
    categories = categories_of(documents, term)
    return render(
        "catalog/offerings/index.html",
        categories=categories,
        term=term,
        found=sum(len(category.cards) for category in categories),
        published=len(documents),
    )


@blueprint.get("/catalogue/<slug>")
@signed_in
def show(slug: str) -> Response:
    """One offering in full, with the way to start."""
    with reading() as session:
        version = get_visible_version(session, current_actor(), slug)
        document = document_of(version)
        names = session.execute(select(Group.slug, Group.name).where(Group.slug.in_(groups_named(document))))
        group_names = {group_slug: name for group_slug, name in names}  # noqa: C416  (rows type as tuples only when unpacked)
    return render(
        "catalog/offerings/show.html",
        offering=page_of(document, number=version.number, group_names=group_names),
        start_url=url_for("requests.new", slug=slug),
    )
