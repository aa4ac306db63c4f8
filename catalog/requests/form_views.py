"""Pages of asking: the form, which keeps what is typed."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments import forms as attached
from catalog.offerings.audience import get_visible_version
from catalog.offerings.form_context import FormContext
from catalog.offerings.forms import OfferingForm, Posted, answers_of, build_form, posted
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.starting import begun_with
from catalog.ordering.times import times_for
from catalog.requests.blueprint import blueprint
from catalog.requests.checking import Checked, get_asked
from catalog.requests.drafts import (
    Overtaken,
    find_draft,
    insist_on_owner,
    keep,
    new_token,
    open_drafts,
    owner_of,
    read_save,
)
from catalog.requests.model import Draft
from catalog.requests.review import needless_answers
from catalog.requests.shared_views import SAVE, TOKEN, connectors, form_for, router, show_form, where_sent
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.http import reading, render, settings, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in
from portal.identity.actor import Actor


@blueprint.route("/catalogue/<slug>/request", methods=["GET", "POST"])
@signed_in
def new(slug: str) -> BaseResponse:
    """The form of a service. What is posted is kept first and checked then."""
    if request.method == "POST":
        return _take(slug)
    actor = current_actor()
    token = request.args.get("draft", "")
    with reading() as session:
        version, person, context = get_asked(session, actor, slug, connectors())
        draft = _owned_draft(session, token) if token else None
        if sent := where_sent(session, draft):
            return sent
        form = _begin(session, version, draft, context)
        if draft is not None and request.args.get("check"):
            form.validate()
        others = [] if token else open_drafts(session, actor, version.offering_id)
        return show_form(
            session,
            slug,
            form,
            token=token or new_token(actor.person_id or 0, settings().secret_key),
            kept=bool(request.args.get("kept")),
            drafts=[
                (
                    url_for("requests.new", slug=slug, draft=other.token),
                    other.updated_at.astimezone(ZoneInfo(actor.timezone)),
                )
                for other, _version in others
            ],
            times=times_for(session, person, version, router()),
        )


@blueprint.post("/catalogue/<slug>/request/files")
@signed_in
def upload(slug: str) -> BaseResponse:
    """The form of a service that takes files: the same as its usual page, for larger bodies."""
    return _take(slug)


@blueprint.post("/catalogue/<slug>/request/draft")
@signed_in
def autosave(slug: str) -> Response:
    """Keep what was typed so far; the page calls this as the person types.

    What arrives after something later of the same page is passed over, and the page is told nothing.
    """
    insist_on_owner(current_actor(), request.form.get(TOKEN, ""), settings().secret_key)
    try:
        with transaction() as session:
            version = get_visible_version(session, current_actor(), slug)
            _keep(session, version, by_itself=True)
            kept_at = now(session).astimezone(ZoneInfo(current_actor().timezone))
    except Overtaken:
        return Response(status=204)
    return render("catalog/requests/kept.html", kept_at=kept_at)


@blueprint.errorhandler(CSRFError)
def keep_what_was_typed(error: CSRFError) -> BaseResponse:
    """A form whose session has ended: what was typed is kept for its owner, and the page comes back after sign-in.

    The draft's token says whose it is. No other page can know it, and it gives nothing to read. Files are not taken
    from somebody who is not signed in.
    """
    token = request.form.get(TOKEN, "")
    slug = (request.view_args or {}).get("slug")
    by_itself = request.endpoint == "requests.autosave"
    if request.endpoint in {"requests.new", "requests.upload", "requests.autosave"} and slug and token:
        try:
            with transaction() as session:
                owner = Actor(name="", person_id=owner_of(token, settings().secret_key))
                _keep(session, get_visible_version(session, owner, slug), by_itself=by_itself)
        except Overtaken:
            return Response(status=204)
        except PortalError:
            return _usual_answer(error)
        if by_itself:
            return Response(_("Kept. Your session has ended: sign in again when you go on."))
        return redirect(url_for("requests.new", slug=slug, draft=token, kept=1), 303)
    return _usual_answer(error)


def _take(slug: str) -> BaseResponse:
    actor = current_actor()
    token = request.form.get(TOKEN, "")
    insist_on_owner(current_actor(), token, settings().secret_key)
    with reading() as session:
        document = document_of(get_visible_version(session, actor, slug))
    files = attached.sent_files(document)
    with transaction() as session:
        version = get_visible_version(session, current_actor(), slug)
        draft, sent = _keep(session, version, files)
    if request.form.get("_do") == "save":
        flash(_("Your answers are kept. You find them under My requests."), "success")
        return redirect(url_for("requests.index"), 303)
    if sent.more_rows:
        return redirect(url_for("requests.new", slug=slug, draft=token, _anchor=sent.more_rows), 303)
    if attached.uploading() and not sent.errors:
        return redirect(url_for("requests.new", slug=slug, draft=token), 303)
    with reading() as session:
        form = form_for(session, version, draft.answers, sent.errors)
        if attached.uploading() or not form.validate():
            return show_form(session, slug, form, token=token, status=422)
        checked = Checked(token, version.id, draft.answers, answers_of(form))
        # An order for several people is looked over person by person on its own page.
        already = (
            "" if form.people else needless_answers(session, actor, checked, version, connectors=connectors())
        )
        if already:
            return show_form(session, slug, form, token=token, already=already, status=422)
    return redirect(url_for("requests.review", token=token), 303)


def _begin(
    session: Session, version: OfferingVersion, draft: Draft | None, context: FormContext
) -> OfferingForm:
    """The form as it begins: as the draft left it, or with what the link says."""
    actor = current_actor()
    document = document_of(version)
    query = request.args.to_dict(flat=False)
    raw = (
        draft.answers
        if draft
        else begun_with(session, actor, document, query, router=router(), context=context)
    )
    return build_form(document, context)(raw)


def _keep(
    session: Session,
    version: OfferingVersion,
    files: attached.SentFiles | None = None,
    *,
    by_itself: bool = False,
) -> tuple[Draft, Posted]:
    sent = posted(document_of(version), request.form, request.files)
    if files is not None:
        sent = attached.with_files(session, sent, files, current_actor().person_id or 0)
    draft = keep(
        session,
        request.form.get(TOKEN, ""),
        version,
        sent.raw,
        key=settings().secret_key,
        save=read_save(request.form.get(SAVE, "")),
        by_itself=by_itself,
    )
    return draft, sent


def _owned_draft(session: Session, token: str) -> Draft | None:
    """The draft, or None for a token of this person under which nothing was saved yet. Raises NotFound."""
    insist_on_owner(current_actor(), token, settings().secret_key)
    return find_draft(session, current_actor(), token)


def _usual_answer(error: CSRFError) -> BaseResponse:
    """What the portal says of such a form anywhere else."""
    handler = current_app.error_handler_spec[None][400][CSRFError]
    return cast("BaseResponse", handler(error))
