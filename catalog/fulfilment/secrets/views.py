"""The page that shows a one-time secret."""

from __future__ import annotations

from flask import Blueprint, Response

from catalog.fulfilment.secrets.show import secret_page, show_secret
from portal.core.http import reading, render, settings, transaction
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("secrets", __name__)


@blueprint.get("/requests/<reference>/password")
@signed_in
def show(reference: str) -> Response:
    """What the button does. Looking at this page uses nothing up."""
    with reading() as session:
        page = secret_page(session, current_actor(), reference)
    return render("catalog/fulfilment/secrets/show.html", secret=page, password="")


@blueprint.post("/requests/<reference>/password")
@signed_in
def reveal(reference: str) -> Response:
    """The password, in this answer and in no other."""
    actor = current_actor()
    with transaction() as session:
        password = show_secret(session, actor, reference, secret_key=settings().secret_key)
        page = secret_page(session, actor, reference)
    return render("catalog/fulfilment/secrets/show.html", secret=page, password=password)
