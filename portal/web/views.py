"""Home and health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, url_for
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from portal.core.http import reading, render
from portal.identity.access import find_actor, public

blueprint = Blueprint("web", __name__)


@blueprint.get("/")
@public
def home() -> Response:
    """The catalogue for whoever is signed in, else what the portal is."""
    actor = find_actor()
    if actor is not None and actor.only_audits:
        return redirect(url_for("ledger.index"), 303)
    if actor is not None:
        return redirect(url_for("catalogue.index"), 303)
    return render("portal/web/home.html")


@blueprint.get("/health/live")
@public
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/health/ready")
@public
def ready() -> tuple[dict[str, Any], int]:
    """The process answers and its database does too."""
    try:
        with reading() as session:
            session.scalar(select(1))
    except SQLAlchemyError:
        return {"status": "the database does not answer"}, 503
    return {"status": "ok"}, 200
