"""Pages of reconciliation: how much is explained, what is not, and what is done about it."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.fulfilment.connectors.registry import Connectors
from catalog.reconciliation.accepting import confirm_acceptance, propose_acceptance, refuse_acceptance
from catalog.reconciliation.adopting import Row, adopt, rows_of_csv
from catalog.reconciliation.model import FindingKind, FindingState
from catalog.reconciliation.pages import chosen_findings, finding_page, index_page
from catalog.reconciliation.removing import end_record, raise_removal
from catalog.reconciliation.run import ask_for_reading, targets_of
from catalog.reconciliation.words import called
from portal.core.errors import FieldError, FieldErrors
from portal.core.http import reading, render, services, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, requires, signed_in
from portal.identity.permissions import Permission

blueprint = Blueprint("reconciliation", __name__, url_prefix="/reconciliation")

#: As many as one page of findings has.
MOST_CHOSEN = 25


@blueprint.get("")
@signed_in
def index() -> Response:
    """What is explained, target by target, and the findings that the reader may see."""
    chosen = {
        "state": request.args.get("state", ""),
        "connector": request.args.get("connector", ""),
        "kind": request.args.get("kind", ""),
    }
    states = {each.value: each for each in FindingState}
    before = request.args.get("before", type=int)
    with reading() as session:
        page = index_page(
            session,
            current_actor(),
            state=states.get(chosen["state"], FindingState.OPEN),
            connector=chosen["connector"],
            kind=chosen["kind"],
            before=before,
        )
    kept: dict[str, Any] = {name: value or None for name, value in chosen.items()}
    return render(
        "catalog/reconciliation/index.html",
        board=page,
        chosen=chosen,
        kinds=tuple(kind.value for kind in FindingKind),
        connectors=[(kind, called(kind)) for kind in targets_of(services().get(Connectors))],
        token=secrets.token_urlsafe(24),
        older_url=url_for("reconciliation.index", before=page.following, **kept) if page.following else "",
        newest_url=url_for("reconciliation.index", **kept) if before is not None else "",
    )


@blueprint.post("/read")
@requires(Permission.WORK_FINDINGS)
@takes()
def read() -> BaseResponse:
    """Have every target read now."""
    connectors = services().get(Connectors)
    with transaction() as session:
        ask_for_reading(session, current_actor(), connectors, targets_of(connectors))
    flash(_("Every target is read now. What is found stands here in a minute or two."), "success")
    return redirect(url_for("reconciliation.index"), 303)


@blueprint.get("/findings/<int:finding_id>")
@signed_in
def show(finding_id: int) -> Response:
    """One finding."""
    return _shown(finding_id)


@blueprint.post("/findings/<int:finding_id>/remove")
@signed_in
@takes("reason")
def remove(finding_id: int) -> BaseResponse:
    """Ask its owner whether it may be taken away."""
    try:
        with transaction() as session:
            reference = raise_removal(
                session, current_actor(), finding_id, request.form.get("reason", "")
            ).reference
    except FieldError as error:
        return _shown(finding_id, error, "remove")
    flash(_("%(reference)s asks for its removal.", reference=reference), "success")
    return redirect(url_for("requests.show", reference=reference), 303)


@blueprint.post("/findings/<int:finding_id>/end")
@signed_in
@takes("reason")
def end(finding_id: int) -> BaseResponse:
    """End the record of something that is missing."""
    try:
        with transaction() as session:
            end_record(session, current_actor(), finding_id, request.form.get("reason", ""))
    except FieldError as error:
        return _shown(finding_id, error, "end")
    flash(_("Its record is ended, and its holder is told."), "success")
    return redirect(url_for("reconciliation.show", finding_id=finding_id), 303)


@blueprint.post("/findings/<int:finding_id>/accept")
@requires(Permission.ACCEPT_FINDINGS)
@takes("reason", "until")
def accept(finding_id: int) -> BaseResponse:
    """Propose that it may stay until a day."""
    try:
        until = date.fromisoformat(request.form.get("until", ""))
    except ValueError:
        until = None
    try:
        with transaction() as session:
            reason = request.form.get("reason", "")
            propose_acceptance(session, current_actor(), finding_id, reason=reason, until=until)
    except FieldError as error:
        return _shown(finding_id, error, "accept")
    flash(_("You proposed to accept it. A second person of compliance must confirm that."), "success")
    return redirect(url_for("reconciliation.show", finding_id=finding_id), 303)


@blueprint.post("/findings/<int:finding_id>/confirm")
@requires(Permission.ACCEPT_FINDINGS)
@takes()
def confirm(finding_id: int) -> BaseResponse:
    """Confirm what a colleague proposed."""
    with transaction() as session:
        confirm_acceptance(session, current_actor(), finding_id)
    flash(_("It is accepted until the day that was proposed."), "success")
    return redirect(url_for("reconciliation.show", finding_id=finding_id), 303)


@blueprint.post("/findings/<int:finding_id>/refuse")
@requires(Permission.ACCEPT_FINDINGS)
@takes()
def refuse(finding_id: int) -> BaseResponse:
    """Refuse a proposal, or end what was accepted."""
    with transaction() as session:
        refuse_acceptance(session, current_actor(), finding_id)
    flash(_("It is not accepted any more; the finding is open."), "success")
    return redirect(url_for("reconciliation.show", finding_id=finding_id), 303)


@blueprint.get("/adopt")
@signed_in
def choose() -> Response:
    """Who holds what was chosen, and until when; or an empty box for rows of a file."""
    return _adoption(tuple(request.args.getlist("finding", type=int)))


@blueprint.post("/adopt")
@signed_in
def adopt_chosen() -> BaseResponse:
    """Make the requests that adopt the rows."""
    form = request.form
    numbers = tuple(form.getlist("finding", type=int))
    try:
        rows = [
            Row(form.get(f"key-{n}", ""), form.get(f"holder-{n}", "").strip(), end=form.get(f"end-{n}", ""))
            for n in numbers
        ]
        rows += rows_of_csv(form.get("rows", ""))
        with transaction() as session:
            group = adopt(
                session,
                current_actor(),
                rows,
                reason=form.get("reason", ""),
                token=form.get("token", "")[:64] or secrets.token_urlsafe(24),
            )
    except FieldError as error:
        return _adoption(numbers, (error,))
    except FieldErrors as errors:
        return _adoption(numbers, errors.errors)
    flash(_("Whoever answers for these things is asked now, in one request for each owner."), "success")
    return redirect(url_for("ordering.show", group_id=group.id), 303)


def _shown(finding_id: int, error: FieldError | None = None, at: str = "") -> Response:
    with reading() as session:
        page = finding_page(session, current_actor(), finding_id)
    return render(
        "catalog/reconciliation/show.html",
        422 if error else 200,
        finding=page,
        error=error,
        at=at,
        typed=request.form,
    )


def _adoption(numbers: tuple[int, ...], errors: tuple[FieldError, ...] = ()) -> Response:
    with reading() as session:
        found = chosen_findings(session, current_actor(), numbers[:MOST_CHOSEN])
        rows = [
            {
                "id": finding.id,
                "key": finding.key,
                "label": spoken(finding.label),
                "holder": request.form.get(f"holder-{finding.id}", holder),
                "end": request.form.get(f"end-{finding.id}", ""),
            }
            for finding, holder in found
        ]
    return render(
        "catalog/reconciliation/adopt.html",
        422 if errors else 200,
        rows=rows,
        errors=errors,
        typed=request.form,
        token=request.form.get("token") or secrets.token_urlsafe(24),
    )
