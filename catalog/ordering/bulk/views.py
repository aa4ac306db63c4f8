"""Pages of an order from a file: the template, the upload, the preview, and the one button that sends it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.audience import get_visible_version
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.bulk.columns import columns_of, takes_bulk
from catalog.ordering.bulk.order import check_file, get_file, keep_file, send_file
from catalog.ordering.bulk.reading import LARGEST, MOST_ROWS
from catalog.ordering.model import BulkOrder
from catalog.requests.shared_views import what_changed
from portal.core.errors import Conflict, FieldErrors, NotFound, PortalError
from portal.core.http import file_response, reading, render, services, settings, takes, transaction
from portal.core.language import _, ngettext, spoken
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("bulk", __name__)

#: More problems than anybody reads at once; the first ones are mended first.
MOST_SHOWN = 100
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/catalogue/<slug>/bulk")
@signed_in
def start(slug: str) -> Response:
    """How to order many at once, with the templates and the upload."""
    return _start_page(slug)


@blueprint.get("/catalogue/<slug>/bulk/template.<kind>")
@signed_in
def template(slug: str, kind: str) -> Response:
    """The file to fill in, as CSV or XLSX. What writes workbooks takes a tenth of a second to import."""
    from catalog.ordering.bulk.template import csv_template, xlsx_template  # noqa: PLC0415

    with reading() as session:
        document = _document(session, slug)
    if kind == "csv":
        return file_response(
            csv_template(document.spoken()), name=f"{slug}.csv", media_type="text/csv; charset=utf-8"
        )
    if kind == "xlsx":
        return file_response(xlsx_template(document.spoken()), name=f"{slug}.xlsx", media_type=_XLSX)
    raise NotFound(_("The template comes as CSV and as XLSX."))


@blueprint.post("/catalogue/<slug>/bulk")
@signed_in
@takes()
def upload(slug: str) -> BaseResponse:
    """Read the file and keep its rows; nothing is ordered by that."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _start_page(slug, problem=_("Choose the file that you filled in."))
    content = sent.stream.read()
    actor = current_actor()
    try:
        with transaction() as session:
            version = get_visible_version(session, actor, slug)
            kept = keep_file(
                session, actor, version, filename=sent.filename, content=content, key=settings().secret_key
            )
            token = kept.token
    except NotFound:
        raise
    except PortalError as error:
        return _start_page(slug, problem=spoken(error.sentence))
    return redirect(url_for("bulk.preview", token=token), 303)


@blueprint.get("/bulk/<token>")
@signed_in
def preview(token: str) -> BaseResponse:
    """Every row as it would be ordered, or everything that is wrong with the file."""
    actor = current_actor()
    with reading() as session:
        kept = get_file(session, actor, token)
        if kept.order_group_id is not None:
            return redirect(url_for("ordering.show", group_id=kept.order_group_id), 303)
        version = _version_of(session, kept)
        checked = check_file(session, actor, kept, version, services().get(Connectors))
        filename = kept.filename
    document = document_of(version)
    return render(
        "catalog/ordering/bulk/preview.html",
        422 if checked.problems else 200,
        token=token,
        filename=filename,
        offering=document.spoken().name,
        slug=document.slug,
        version_id=version.id,
        checked=checked,
        shown=checked.problems[:MOST_SHOWN],
    )


@blueprint.post("/bulk/<token>/submit")
@signed_in
@takes("version", "reviewed")
def submit(token: str) -> BaseResponse:
    """Send every row, or none. The same form posted twice makes one order."""
    actor = current_actor()
    again = redirect(url_for("bulk.preview", token=token), 303)
    with reading() as session:
        kept = get_file(session, actor, token)
        if kept.order_group_id is not None:
            return again
        version = _version_of(session, kept)
        checked = check_file(session, actor, kept, version, services().get(Connectors))
    if checked.problems:
        return again
    if changed := what_changed(checked.digest, version):
        flash(changed, "warning")
        return again
    try:
        with transaction() as session:
            published = session.get_one(OfferingVersion, version.id)
            group_id = send_file(session, actor, token, published, checked.answers).id
    except FieldErrors:
        return again
    except Conflict as conflict:
        flash(spoken(conflict.sentence), "warning")
        return again
    flash(
        ngettext(
            "%(number)s request is submitted. We mail you when something happens.",
            "%(number)s requests are submitted. We mail you when something happens.",
            len(checked.rows),
        ),
        "success",
    )
    return redirect(url_for("ordering.show", group_id=group_id), 303)


def _document(session: Session, slug: str) -> OfferingDocument:
    document = document_of(get_visible_version(session, current_actor(), slug))
    if not takes_bulk(document):
        raise NotFound(_("This service cannot be ordered from a file."))
    return document


def _version_of(session: Session, kept: BulkOrder) -> OfferingVersion:
    """What is published now of the service that the file is for."""
    then = session.get_one(OfferingVersion, kept.offering_version_id)
    return get_visible_version(session, current_actor(), then.offering.slug)


def _start_page(slug: str, *, problem: str = "") -> Response:
    with reading() as session:
        document = _document(session, slug)
    return render(
        "catalog/ordering/bulk/start.html",
        422 if problem else 200,
        offering=document.spoken().name,
        slug=slug,
        columns=columns_of(document.spoken()),
        problem=problem,
        most_rows=MOST_ROWS,
        largest=LARGEST,
    )
