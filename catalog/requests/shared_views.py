"""What the views of forms share: the page itself, the draft behind it, and where a draft that was sent leads."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments import forms as attached
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.audience import get_visible_version
from catalog.offerings.catalogue import Times
from catalog.offerings.forms import OfferingForm, build_form
from catalog.offerings.model import OfferingVersion
from catalog.offerings.presenters import asked_sections
from catalog.offerings.queries import document_of
from catalog.requests.checking import form_context_of
from catalog.requests.drafts import get_draft
from catalog.requests.model import Draft, Request
from catalog.requests.route import Router
from portal.core.http import render, services
from portal.core.language import _
from portal.identity.access import current_actor

#: The draft's token in the form; names that begin with an underscore are the page's and not an answer.
TOKEN = "_draft"  # noqa: S105  (a field's name)
#: Which of its page's saves a form is; the page's script writes it (static/build/js/saves.mjs).
SAVE = "_save"


def form_for(
    session: Session, version: OfferingVersion, raw: dict[str, Any] | None, errors: tuple[Any, ...] = ()
) -> OfferingForm:
    """The form with these answers, raw, as the person who is signed in fills it in."""
    _person, context = form_context_of(session, current_actor(), connectors())
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


def begun(session: Session, token: str) -> tuple[Draft, OfferingVersion]:
    """The reader's draft, and what is published now of the service that it asks for. Raises NotFound."""
    draft = get_draft(session, current_actor(), token)
    kept = session.get_one(OfferingVersion, draft.offering_version_id)
    return draft, get_visible_version(session, current_actor(), kept.offering.slug)


def where_sent(session: Session, draft: Draft | None) -> BaseResponse | None:
    """To what a draft that was sent already became; None for one that was not."""
    if draft is not None and draft.order_group_id is not None:
        return redirect(url_for("ordering.show", group_id=draft.order_group_id), 303)
    if draft is not None and draft.request_id is not None:
        made = session.get_one(Request, draft.request_id)
        return redirect(url_for("requests.show", reference=made.reference), 303)
    return None


def what_changed(digest: str, version: OfferingVersion) -> str:
    """A sentence for whoever pressed the button under something else than what would be sent now, or nothing.

    Another tab, or whoever else holds the token, may have changed the answers since they were shown, and somebody
    may have published the service anew.
    """
    if request.form.get("reviewed", digest) != digest:
        return _("Your answers were changed while you were asking. Look everything over once more.")
    if request.form.get("version", type=int) != version.id:
        return _("This service was changed while you were asking. Look everything over once more.")
    return ""


def back_to_form(version: OfferingVersion, token: str) -> BaseResponse:
    """To the form, which says what is wrong with its answers."""
    return redirect(url_for("requests.new", slug=version.document["slug"], draft=token, check=1), 303)


def connectors() -> Connectors:
    """Every target."""
    return services().get(Connectors)


def router() -> Router:
    """What resolves routes."""
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
