"""Pages of manual work: what my groups have to do, and one task with its checklist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments.download import fetch
from catalog.attachments.kinds import KINDS, endings_of
from catalog.attachments.receive import Received, keep_uploads, receive
from catalog.attachments.store import Store
from catalog.attachments.views import attachment_response
from catalog.fulfilment.connectors.manual.doing import (
    Said,
    cannot_be_done,
    finish,
    get_task,
    give_back,
    save,
    take,
)
from catalog.fulfilment.connectors.manual.pages import work_list, work_page
from portal.core.errors import FieldError
from portal.core.http import reading, render, services, settings, transaction
from portal.core.language import N_, _
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("work", __name__, url_prefix="/work")

_PROOF = tuple(KINDS)
#: Digits of an item's position; Python refuses to read numbers of thousands.
_LONGEST_NUMBER = 9
_DONE = N_("Recorded as done. The portal goes on with the request by itself.")


@blueprint.get("")
@signed_in
def index() -> Response:
    """What the reader's groups have to do, and what was done lately."""
    with reading() as session:
        work = work_list(session, current_actor())
    return render("catalog/fulfilment/work/index.html", work=work)


@blueprint.get("/<int:task_id>")
@signed_in
def show(task_id: int) -> Response:
    """One task: what to do, the sealed plan, the checklist."""
    return _page(task_id)


@blueprint.post("/<int:task_id>")
@signed_in
def update(task_id: int) -> BaseResponse:
    """Keep what was filled in; with the button “done”, record that it is done."""
    actor = current_actor()
    taken, refused = _received(task_id)
    doing = request.form.get("_do") == "done"
    said = _said(())
    try:
        with transaction() as session:
            get_task(session, actor, task_id)
            said = _said(tuple(keep_uploads(session, actor.person_id or 0, taken)))
            if doing and not refused:
                finish(session, actor, task_id, said)
            else:
                save(session, actor, task_id, said)
    except FieldError as error:
        _keep_what_was_typed(task_id, taken, error.field)
        return _page(task_id, errors={error.field: error.message}, said=said, status=422)
    if refused:
        return _page(task_id, errors={"proof": " ".join(refused)}, status=422)
    flash(_(_DONE) if doing else _("What you filled in is kept."), "success")
    return redirect(url_for("work.index") if doing else url_for("work.show", task_id=task_id), 303)


@blueprint.post("/<int:task_id>/take")
@signed_in
def take_it(task_id: int) -> BaseResponse:
    """Say that one will do it."""
    return _moved(task_id, take, _("You have this task now."))


@blueprint.post("/<int:task_id>/give-back")
@signed_in
def put_back(task_id: int) -> BaseResponse:
    """Leave it to a colleague."""
    return _moved(task_id, give_back, _("The task waits for whoever takes it."))


@blueprint.post("/<int:task_id>/impossible")
@signed_in
def impossible(task_id: int) -> BaseResponse:
    """Record that it cannot be done."""
    why = request.form.get("why_not", "")
    try:
        with transaction() as session:
            cannot_be_done(session, current_actor(), task_id, why)
    except FieldError as error:
        return _page(task_id, errors={error.field: error.message}, why_not=why, status=422)
    flash(_("Recorded. The requester and the operators are told why."), "success")
    return redirect(url_for("work.index"), 303)


@blueprint.get("/<int:task_id>/attachments/<int:attachment_id>")
@signed_in
def attachment(task_id: int, attachment_id: int) -> Response:
    """A file of the request, or a proof, for those who do its work."""
    actor = current_actor()
    with transaction() as session:
        task = get_task(session, actor, task_id)
        file = fetch(session, actor, task.request, attachment_id)
    return attachment_response(_store().get(file.digest), file.name)


def _received(task_id: int) -> tuple[list[Received], list[str]]:
    """The proof that was sent, checked and stored, if the task is theirs at all."""
    with reading() as session:
        get_task(session, current_actor(), task_id)
    return receive(
        request.files.getlist("proof"),
        kinds=_PROOF,
        most_bytes=settings().attachment_bytes,
        store=_store(),
    )


def _keep_what_was_typed(task_id: int, taken: list[Received], field: str) -> None:
    """What was ticked and attached is not lost because something else is missing."""
    if field not in {"items", "reason"}:
        return
    actor = current_actor()
    with transaction() as session:
        files = tuple(keep_uploads(session, actor.person_id or 0, taken))
        save(session, actor, task_id, _said(files))


def _said(files: tuple[Any, ...]) -> Said:
    ticked = {
        int(value)
        for value in request.form.getlist("items")
        if value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER
    }
    return Said(
        ticked=ticked,
        note=request.form.get("note", ""),
        reason=request.form.get("reason", ""),
        files=files,
    )


def _moved(task_id: int, move: Callable[..., Any], told: str) -> BaseResponse:
    with transaction() as session:
        move(session, current_actor(), task_id)
    flash(told, "success")
    return redirect(url_for("work.show", task_id=task_id), 303)


def _page(
    task_id: int,
    *,
    errors: dict[str, str] | None = None,
    said: Said | None = None,
    why_not: str = "",
    status: int = 200,
) -> Response:
    with reading() as session:
        page = work_page(session, current_actor(), task_id)
    return render(
        "catalog/fulfilment/work/show.html",
        status,
        task=page,
        errors=errors or {},
        note=said.note if said else page.note,
        reason=said.reason if said else page.reason,
        ticked=said.ticked if said else {item.position for item in page.items if item.ticked},
        why_not=why_not,
        accept=",".join(f".{ending}" for ending in endings_of(_PROOF)),
        largest_mib=settings().attachment_bytes // (1024 * 1024),
    )


def _store() -> Store:
    return services().get(Store)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
