"""The page behind a mailed link."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.links.follow import NotYourLink, follow_link, record_refusal
from portal.core.http import reading, render, transaction
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("links", __name__)


@blueprint.get("/a/<token>")
@signed_in
def follow(token: str) -> BaseResponse:
    """Lead an approver to the decision card; an ended link shows the outcome. GET and HEAD decide nothing."""
    actor = current_actor()
    try:
        with reading() as db:
            destination = follow_link(db, actor, token)
    except NotYourLink as refused:
        with transaction() as db:
            record_refusal(db, actor, refused)
        raise
    if destination.ended:
        return render("approvals/links/follow.html", destination=destination)
    return redirect(url_for("approvals.show", reference=destination.reference), 303)


@blueprint.after_request
def tell_nobody(response: Response) -> Response:
    """The identifier goes to no other page, whatever answered: the page, sign-in or an error."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
