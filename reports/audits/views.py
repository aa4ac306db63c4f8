"""Pages of audits: ordering one, its page from counting to the finished bundle, and the downloads."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.audit import record
from portal.audit.checkpoint import Signer, first_key
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors, NotFound
from portal.core.http import reading, render, services, settings, takes, transaction
from portal.core.language import _, ngettext
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from reports.audits import place, tags
from reports.audits.forms import FIELDS, OrderForm
from reports.audits.ledger_part import digest_of
from reports.audits.ordering import give_nonce, order, try_again
from reports.audits.pages.words import days
from reports.audits.presenters import example_sizes, line_of, view_of
from reports.audits.problems import AuditNotMade
from reports.audits.queries import audits_before, find_file, found_audit, get_audit
from reports.audits.wanted import choices_of, periods_at, zone_of

blueprint = Blueprint("audits", __name__, url_prefix="/audits")


@blueprint.get("")
@requires(Permission.READ_AUDITS)
def index() -> Response:
    """Every audit that the reader may see, newest first."""
    actor = current_actor()
    before = request.args.get("before", type=int)
    with reading() as session:
        lines, following = audits_before(session, actor, before)
        at = now(session).astimezone(ZoneInfo(actor.timezone))
    return render(
        "reports/audits/index.html",
        lines=[line_of(line, actor.timezone) for line in lines],
        now=at,
        may_order=actor.may(Permission.ORDER_AUDITS),
        older_url=url_for("audits.index", before=following) if following else "",
        newest_url=url_for("audits.index") if before is not None else "",
    )


@blueprint.get("/new")
@requires(Permission.ORDER_AUDITS)
def new() -> Response:
    """An empty form, with the last month suggested."""
    return _form(OrderForm())


@blueprint.post("/new")
@requires(Permission.ORDER_AUDITS)
@takes(*FIELDS)
def make() -> BaseResponse:
    """Order it; a task counts it."""
    form = OrderForm(request.form)
    # What cannot be read is no day, and stands at its field already.
    form.validate()
    try:
        with transaction() as session:
            periods = periods_at(now(session), zone_of(session))
            reference = order(session, current_actor(), form.wanted(periods)).reference
    except FieldErrors as problems:
        form.tell(problems)
        return _form(form, status=problems.status)
    except FieldError as problem:
        form.tell(FieldErrors((problem,)))
        return _form(form, status=problem.status)
    flash(_("The audit %(reference)s is ordered and is being counted.", reference=reference), "success")
    return redirect(url_for("audits.show", reference=reference), 303)


@blueprint.get("/<reference>")
@requires(Permission.READ_AUDITS)
def show(reference: str) -> Response:
    """One audit, from counting to its files; while a task is at work the page asks for itself again."""
    return _page(reference)


@blueprint.post("/<reference>/draw")
@requires(Permission.ORDER_AUDITS)
@takes("nonce")
def draw(reference: str) -> BaseResponse:
    """Draw a sample by the auditor's word; a task makes the report."""
    actor = current_actor()
    typed = request.form.get("nonce", "")
    try:
        with transaction() as session:
            audit = get_audit(session, actor, reference)
            made = give_nonce(session, actor, audit.id, typed)
            count = len(made.drawn)
    except FieldError as problem:
        return _page(reference, typed=typed, error=problem.message, status=problem.status)
    except Conflict as conflict:
        return _page(reference, typed=typed, error=conflict.sentence, status=conflict.status)
    flash(
        ngettext(
            "%(number)s request was drawn. Its report is being made.",
            "%(number)s requests were drawn. Their report is being made.",
            count,
        ),
        "success",
    )
    return redirect(url_for("audits.show", reference=reference), 303)


@blueprint.post("/<reference>/again")
@requires(Permission.ORDER_AUDITS)
@takes()
def again(reference: str) -> BaseResponse:
    """Have what failed tried again."""
    actor = current_actor()
    with transaction() as session:
        try_again(session, actor, get_audit(session, actor, reference).id)
    flash(_("It is being tried again."), "success")
    return redirect(url_for("audits.show", reference=reference), 303)


@blueprint.get("/<reference>/draws/<int:number>/<name>")
@requires(Permission.READ_AUDITS)
def download(reference: str, number: int, name: str) -> Response:
    """A file of a finished draw; who took which is written down."""
    actor = current_actor()
    if name not in place.KEPT:
        raise NotFound(_("There is no such file."))
    with reading() as session:
        audit = get_audit(session, actor, reference)
        file = find_file(session, audit, number, name)
    path = place.path_of(settings(), name, file.digest)
    if not path.is_file() or digest_of(path)[0] != file.digest:
        raise AuditNotMade(
            _("This file is no longer as it was made. Tell the operators: it has to come back from a backup.")
        )
    with transaction() as session:
        record(
            session,
            tags.DOWNLOADED,
            subject=tags.subject_of(audit.reference),
            actor=actor,
            facts={"draw": number, "name": name, "file": file.digest},
        )
    response = send_file(
        path,
        mimetype=place.KEPT[name],
        as_attachment=True,
        download_name=_saved_as(audit.reference, number, name),
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _saved_as(reference: str, number: int, name: str) -> str:
    """The reference begins each name; of a further draw its number too."""
    stem = reference if number == 1 else f"{reference}-draw-{number}"
    return f"{stem}.zip" if name == place.BUNDLE else f"{stem}-{Path(name).name}"


def _page(reference: str, *, typed: str = "", error: str = "", status: int = 200) -> Response:
    actor = current_actor()
    with reading() as session:
        view = view_of(found_audit(session, actor, reference), actor.timezone)
    key, digits = first_key(services().get(Signer))
    return render(
        "reports/audits/show.html",
        status,
        audit=view,
        may_order=actor.may(Permission.ORDER_AUDITS),
        typed=typed,
        error=error,
        asked_by_itself="live" in request.args,
        commands="\n".join(
            f"python verify.py {_saved_as(view.reference, draw.number, place.BUNDLE)} --key KEY"
            for draw in view.draws
            if draw.files
        ),
        key=key,
        fingerprint=digits,
    )


def _form(form: OrderForm, *, status: int = 200) -> Response:
    with reading() as session:
        zone = zone_of(session)
        choices = choices_of(session)
        periods = periods_at(now(session), zone)
    return render(
        "reports/audits/new.html",
        status,
        form=form.speak(choices, periods, zone),
        period_hints={name: days(one.first_day, one.last_day) for name, one in periods.items()},
        examples=example_sizes(),
    )
