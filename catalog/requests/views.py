"""Pages of requests that were made: mine, one, its files, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.fulfilment.artefacts import get_artefact, media_type_of
from catalog.requests import draft_views, tags
from catalog.requests.blueprint import blueprint
from catalog.requests.drafts import open_drafts
from catalog.requests.moves import subject_of
from catalog.requests.page import request_page
from catalog.requests.queries import request_for, requests_of
from catalog.requests.route import Router
from catalog.requests.withdraw import withdraw as withdraw_request
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError
from portal.core.http import file_response, reading, render, services, transaction
from portal.identity.access import current_actor, signed_in

#: draft_views is imported so that its routes stand on the blueprint too.
__all__ = ["blueprint", "draft_views"]


@blueprint.get("/requests")
@signed_in
def index() -> Response:
    """My requests: open ones with my drafts, or with `?show=closed` those that are over."""
    actor = current_actor()
    closed = request.args.get("show") == "closed"
    before = request.args.get("before", type=int)
    zone = ZoneInfo(actor.timezone)
    with reading() as session:
        lines, following = requests_of(session, actor, closed=closed, before=before)
        drafts = [] if closed or before else open_drafts(session, actor)
        at: datetime = now(session).astimezone(zone)
    show = "closed" if closed else None
    return render(
        "catalog/requests/index.html",
        lines=lines,
        drafts=[
            (
                version.document["name"],
                url_for("requests.new", slug=version.offering.slug, draft=draft.token),
                draft.updated_at.astimezone(zone),
                draft.token,
            )
            for draft, version in drafts
        ],
        closed=closed,
        now=at,
        older_url=url_for("requests.index", before=following, show=show) if following else "",
        newest_url=url_for("requests.index", show=show) if before is not None else "",
    )


@blueprint.get("/requests/<reference>")
@signed_in
def show(reference: str) -> Response:
    """One request: who must act, what was asked, what changes, who decided, what was done."""
    return _page(reference)


@blueprint.post("/requests/<reference>/withdraw")
@signed_in
def withdraw(reference: str) -> BaseResponse:
    """Take the request back."""
    actor = current_actor()
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            found = request_for(session, actor, reference, _router())
            withdraw_request(session, actor, found.id, reason)
    except FieldError as error:
        return _page(reference, reason=reason, reason_error=error.message, status=error.status)
    flash(f"{reference} is withdrawn. Nothing was changed on any system.", "success")
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.get("/requests/<reference>/files/<name>")
@signed_in
def artefact(reference: str, name: str) -> Response:
    """A file that fulfilment made, such as a certificate."""
    actor = current_actor()
    with transaction() as session:
        found = request_for(session, actor, reference, _router())
        file = get_artefact(session, found.id, name)
        record(
            session,
            tags.ARTEFACT_FETCHED,
            subject=subject_of(found),
            actor=actor,
            facts={"name": file.name, "digest": file.digest},
        )
        return file_response(file.content, name=file.name, media_type=media_type_of(file.name))


def _page(reference: str, *, reason: str = "", reason_error: str = "", status: int = 200) -> Response:
    actor = current_actor()
    with reading() as session:
        page = request_page(session, actor, reference, router=_router())
    return render(
        "catalog/requests/show.html",
        status,
        request_page=page,
        reason=reason,
        reason_error=reason_error,
        evidence_url=url_for("evidence.request", reference=reference) if page.may_read_evidence else "",
    )


def _router() -> Any:
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
