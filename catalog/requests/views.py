"""Pages of requests that were made: mine, one, its files, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments import forms as attached
from catalog.fulfilment.artefacts import get_artefact, media_type_of
from catalog.offerings.forms import answers_of
from catalog.offerings.queries import document_of
from catalog.requests import form_views, submit_views, tags
from catalog.requests.blueprint import blueprint
from catalog.requests.conversation import Conversations, Typed
from catalog.requests.drafts import discard as discard_draft
from catalog.requests.drafts import open_drafts
from catalog.requests.edit import edit as edit_request
from catalog.requests.edit import insist_on_requester
from catalog.requests.moves import subject_of
from catalog.requests.page import request_page
from catalog.requests.progress import progress as progress_of
from catalog.requests.queries import request_for, requests_of
from catalog.requests.shared_views import form_for, router, show_form
from catalog.requests.withdraw import withdraw as withdraw_request
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError
from portal.core.http import file_response, fragment, reading, render, services, takes, transaction
from portal.core.language import N_, _, spoken
from portal.identity.access import current_actor, signed_in

#: These are imported so that their routes stand on the blueprint too.
__all__ = ["blueprint", "form_views", "submit_views"]

_NOTHING = Typed()
#: Wiring made one that fits the protocol.
_CONVERSATIONS: Any = Conversations

ONE_PERSON = N_("A request is for one person. Name one here, and ask for the others by a new order.")


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
                document_of(version).spoken().name,
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


@blueprint.post("/drafts/<token>/discard")
@signed_in
@takes()
def discard(token: str) -> BaseResponse:
    """Throw a draft away."""
    with transaction() as session:
        discard_draft(session, current_actor(), token)
    flash(_("The draft is gone."), "success")
    return redirect(url_for("requests.index"), 303)


@blueprint.get("/requests/<reference>")
@signed_in
def show(reference: str) -> Response:
    """One request: who must act, what was asked, what changes, who decided, what was done."""
    return page_of(reference)


@blueprint.get("/requests/<reference>/progress")
@signed_in
def progress(reference: str) -> BaseResponse:
    """How far it has come, for its page to show while it waits; nothing at all while that is what was seen last."""
    with reading() as session:
        found = progress_of(session, current_actor(), reference, router())
    if found.moving and request.args.get("seen") == found.seen:
        return Response(status=204)
    return fragment("catalog/requests/progress.html", progress=found)


@blueprint.post("/requests/<reference>/withdraw")
@signed_in
@takes("reason")
def withdraw(reference: str) -> BaseResponse:
    """Take the request back."""
    actor = current_actor()
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            found = request_for(session, actor, reference, router())
            withdraw_request(session, actor, found.id, reason)
    except FieldError as error:
        return page_of(reference, reason=reason, reason_error=spoken(error.message), status=error.status)
    flash(_("%(reference)s is withdrawn. Nothing was changed on any system.", reference=reference), "success")
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.route("/requests/<reference>/edit", methods=["GET", "POST"])
@signed_in
def edit(reference: str) -> BaseResponse:
    """Change the answers of a request that waits for approval; every approval so far becomes void."""
    actor = current_actor()
    with reading() as session:
        waiting = request_for(session, actor, reference, router())
        insist_on_requester(actor, waiting)
        version = waiting.version
    sent = attached.posted_with_files(document_of(version)) if request.method == "POST" else None
    with reading() as session:
        found = request_for(session, actor, reference, router())
        form = form_for(session, version, sent.raw if sent else found.answers, sent.errors if sent else ())
        more = sent is not None and (bool(sent.more_rows) or attached.uploading())
        if sent is None or more or not form.validate():
            status = 422 if sent and (sent.errors or not more) else 200
            return show_form(session, version.document["slug"], form, editing=reference, status=status)
        if form.people:
            form.refuse((FieldError(form.document.beneficiary or "", _(ONE_PERSON)),))
            return show_form(session, version.document["slug"], form, editing=reference, status=422)
    with transaction() as session:
        edit_request(session, actor, found.id, answers_of(form))
    flash(
        _(
            "%(reference)s is changed. It is prepared again, and whoever had approved is asked again.",
            reference=reference,
        ),
        "success",
    )
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.get("/requests/<reference>/files/<name>")
@signed_in
def artefact(reference: str, name: str) -> Response:
    """A file that fulfilment made, such as a certificate."""
    actor = current_actor()
    with transaction() as session:
        found = request_for(session, actor, reference, router())
        file = get_artefact(session, found.id, name)
        record(
            session,
            tags.ARTEFACT_FETCHED,
            subject=subject_of(found),
            actor=actor,
            facts={"name": file.name, "digest": file.digest},
        )
        return file_response(file.content, name=file.name, media_type=media_type_of(file.name))


def page_of(
    reference: str, *, reason: str = "", reason_error: str = "", typed: Typed = _NOTHING, status: int = 200
) -> Response:
    """The page of a request, with what was typed into one of its forms and could not be taken."""
    actor = current_actor()
    with reading() as session:
        page = request_page(
            session, actor, reference, router=router(), conversations=services().get(_CONVERSATIONS)
        )
    return render(
        "catalog/requests/show.html",
        status,
        request_page=page,
        reason=reason,
        reason_error=reason_error,
        typed=typed,
        evidence_url=url_for("evidence.request", reference=reference) if page.may_read_evidence else "",
    )
