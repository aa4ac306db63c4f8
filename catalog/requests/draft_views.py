"""Pages of asking: the form that keeps what is typed, the review, and the one button that submits."""

from __future__ import annotations

from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments import forms as attached
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.audience import get_visible_version
from catalog.offerings.catalogue import Times
from catalog.offerings.form_context import FormContext
from catalog.offerings.forms import OfferingForm, Posted, answers_of, build_form, posted
from catalog.offerings.model import OfferingVersion
from catalog.offerings.presenters import asked_sections
from catalog.offerings.queries import document_of, get_current_version
from catalog.offerings.several import people_in
from catalog.ordering.starting import begun_with
from catalog.ordering.times import times_for
from catalog.requests.blueprint import blueprint
from catalog.requests.checking import Checked, check_draft, form_context_of
from catalog.requests.drafts import find_draft, get_draft, insist_on_owner, keep, new_token, open_drafts
from catalog.requests.model import Draft, Request
from catalog.requests.review import needless_answers, review_page
from catalog.requests.route import Router
from catalog.requests.submit import submit as submit_draft
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors, PortalError
from portal.core.http import reading, render, services, settings, transaction
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Person

#: The draft's token in the form; names that begin with an underscore are the page's and not an answer.
TOKEN = "_draft"  # noqa: S105  (a field's name)


@blueprint.route("/catalogue/<slug>/request", methods=["GET", "POST"])
@signed_in
def new(slug: str) -> BaseResponse:
    """The form of a service. What is posted is kept first and checked then."""
    if request.method == "POST":
        return _take(slug)
    actor = current_actor()
    token = request.args.get("draft", "")
    with reading() as session:
        version = get_visible_version(session, current_actor(), slug)
        draft = _owned_draft(session, token) if token else None
        if draft is not None and _is_sent(draft):
            return _to_request(session, draft)
        form, person = _begin(session, version, draft)
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
                (url_for("requests.new", slug=slug, draft=other.token), other.updated_at)
                for other, _ in others
            ],
            times=times_for(session, person, version, _router()),
        )


@blueprint.post("/catalogue/<slug>/request/files")
@signed_in
def upload(slug: str) -> BaseResponse:
    """The form of a service that takes files: the same as its usual page, for larger bodies."""
    return _take(slug)


@blueprint.post("/catalogue/<slug>/request/draft")
@signed_in
def autosave(slug: str) -> Response:
    """Keep what was typed so far; the page calls this as the person types."""
    insist_on_owner(current_actor(), request.form.get(TOKEN, ""), settings().secret_key)
    with transaction() as session:
        version = get_visible_version(session, current_actor(), slug)
        _keep(session, version)
        kept_at = now(session).astimezone(ZoneInfo(current_actor().timezone))
    return render("catalog/requests/kept.html", kept_at=kept_at)


@blueprint.get("/drafts/<token>/review")
@signed_in
def review(token: str) -> BaseResponse:
    """Everything that would follow, before it does."""
    actor = current_actor()
    with reading() as session:
        draft = get_draft(session, actor, token)
        if _is_sent(draft):
            return _to_request(session, draft)
        version = _current(session, draft)
        if people_in(document_of(version), draft.answers):
            return redirect(url_for("ordering.people", token=token), 303)
        try:
            checked = check_draft(session, actor, draft, version, _connectors())
            page = review_page(session, actor, checked, version, connectors=_connectors(), router=_router())
        except (FieldErrors, FieldError):
            return _back_to_form(version, token)
    return render("catalog/requests/review.html", review=page)


@blueprint.post("/drafts/<token>/submit")
@signed_in
def submit(token: str) -> BaseResponse:
    """Submit the draft. The same form posted twice makes one request."""
    actor = current_actor()
    with reading() as session:
        draft = get_draft(session, actor, token)
        if _is_sent(draft):
            return _to_request(session, draft)
        version = _current(session, draft)
        try:
            checked = check_draft(session, actor, draft, version, _connectors())
        except FieldErrors:
            return _back_to_form(version, token)
    # Another tab, or whoever else holds the token, may have changed the answers since they were shown.
    same = request.form.get("reviewed", checked.digest) == checked.digest
    if not same or request.form.get("version", type=int) != version.id:
        what = "This service was" if same else "Your answers were"
        flash(f"{what} changed while you were asking. Look everything over once more.", "warning")
        return redirect(url_for("requests.review", token=token), 303)
    try:
        with transaction() as session:
            made = submit_draft(session, actor, checked, confirmed=request.form.get("confirmed", ""))
            reference = made.reference
    except (FieldErrors, FieldError):
        return _back_to_form(version, token)
    except Conflict as conflict:
        flash(conflict.sentence, "warning")
        return redirect(url_for("requests.review", token=token), 303)
    flash(f"{reference} is submitted. We mail you when something happens.", "success")
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.errorhandler(CSRFError)
def keep_what_was_typed(error: CSRFError) -> BaseResponse:
    """A form whose session has ended: what was typed is kept for its owner, and the page comes back after sign-in.

    The draft's token says whose it is. No other page can know it, and it gives nothing to read.
    """
    token = request.form.get(TOKEN, "")
    slug = (request.view_args or {}).get("slug")
    if request.endpoint in {"requests.new", "requests.autosave"} and slug and token:
        try:
            with transaction() as session:
                _keep(session, get_current_version(session, slug))
        except PortalError:
            return _usual_answer(error)
        if request.endpoint == "requests.autosave":
            return Response("Kept. Your session has ended: sign in again when you go on.")
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
        flash("Your answers are kept. You find them under My requests.", "success")
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
            ""
            if form.people
            else needless_answers(session, actor, checked, version, connectors=_connectors())
        )
        if already:
            return show_form(session, slug, form, token=token, already=already, status=422)
    return redirect(url_for("requests.review", token=token), 303)


def _begin(session: Session, version: OfferingVersion, draft: Draft | None) -> tuple[OfferingForm, Person]:
    """The form as it begins: as the draft left it, or with what the link says; and who fills it in."""
    actor = current_actor()
    document = document_of(version)
    person, context = form_context_of(session, actor, _connectors())
    query = request.args.to_dict(flat=False)
    raw = (
        draft.answers
        if draft
        else begun_with(session, actor, document, query, router=_router(), context=context)
    )
    return build_form(document, context)(raw), person


def _keep(
    session: Session, version: OfferingVersion, files: attached.SentFiles | None = None
) -> tuple[Draft, Posted]:
    sent = posted(document_of(version), request.form, request.files)
    if files is not None:
        sent = attached.with_files(session, sent, files, current_actor().person_id or 0)
    token = request.form.get(TOKEN, "")
    return keep(session, token, version, sent.raw, key=settings().secret_key), sent


def form_for(
    session: Session, version: OfferingVersion, raw: dict[str, Any] | None, errors: tuple[Any, ...] = ()
) -> OfferingForm:
    """The form with these answers, raw, as the person who is signed in fills it in."""
    context: FormContext
    _, context = form_context_of(session, current_actor(), _connectors())
    return build_form(document_of(version), context)(raw, errors)


def show_form(
    session: Session,
    slug: str,
    form: OfferingForm,
    *,
    token: str = "",
    status: int = 200,
    already: str = "",
    kept: bool = False,
    editing: str = "",
    drafts: list[tuple[str, Any]] | None = None,
    times: Times | None = None,
) -> Response:
    """The sections are made here, while the session is open: fields of people read the directory."""
    return render(
        "catalog/requests/new.html",
        status,
        form=form,
        sections=asked_sections(form),
        offering=form.document,
        slug=slug,
        token=token,
        token_name=TOKEN,
        already=already,
        kept=kept,
        editing=editing,
        drafts=drafts or [],
        times=times,
        takes_files=attached.takes_files(form.document),
    )


def _owned_draft(session: Session, token: str) -> Draft | None:
    """The draft, or None for a token of this person under which nothing was saved yet. Raises NotFound."""
    insist_on_owner(current_actor(), token, settings().secret_key)
    return find_draft(session, current_actor(), token)


def _current(session: Session, draft: Draft) -> OfferingVersion:
    kept = session.get_one(OfferingVersion, draft.offering_version_id)
    return get_visible_version(session, current_actor(), kept.offering.slug)


def _is_sent(draft: Draft) -> bool:
    return draft.request_id is not None or draft.order_group_id is not None


def _to_request(session: Session, draft: Draft) -> BaseResponse:
    if draft.order_group_id is not None:
        return redirect(url_for("ordering.show", group_id=draft.order_group_id), 303)
    made = session.get_one(Request, draft.request_id)
    return redirect(url_for("requests.show", reference=made.reference), 303)


def _back_to_form(version: OfferingVersion, token: str) -> BaseResponse:
    return redirect(url_for("requests.new", slug=version.document["slug"], draft=token, check=1), 303)


def _usual_answer(error: CSRFError) -> BaseResponse:
    """What the portal says of such a form anywhere else."""
    handler = current_app.error_handler_spec[None][400][CSRFError]
    return cast("BaseResponse", handler(error))


def _connectors() -> Connectors:
    return services().get(Connectors)


def _router() -> Router:
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
