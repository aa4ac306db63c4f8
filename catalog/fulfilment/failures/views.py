"""The operators' page of one request that does not get on, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.attachments.kinds import KINDS, endings_of
from catalog.attachments.receive import keep_uploads, receive
from catalog.attachments.store import Store
from catalog.fulfilment.failures import acting, by_hand
from catalog.fulfilment.failures.by_hand import Claim
from catalog.fulfilment.failures.page import failure_page
from portal.core.errors import FieldError
from portal.core.http import reading, render, services, settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("failures", __name__, url_prefix="/operations/requests/<reference>")

_PROOF = tuple(KINDS)
#: What was typed and waits for a fresh sign-in: on the server, in the session.
PENDING = "pending_by_hand"
MIB = 1024 * 1024


@blueprint.get("")
@requires(Permission.OPERATE)
def show(reference: str) -> Response:
    """What is where, why, and what may be done. What was typed before signing in again stands there again."""
    kept = session.pop(PENDING, None)
    typed = kept if kept and kept["reference"] == reference else None
    return _page(reference, proof=typed["proof"] if typed else "", again=typed is not None)


@blueprint.post("/again")
@requires(Permission.OPERATE)
@takes("seen")
def again(reference: str) -> BaseResponse:
    """Have it tried again."""
    said = _(
        "%(reference)s is tried again now; its seal and approvals are checked first.", reference=reference
    )
    return _moved(reference, acting.try_again, said)


@blueprint.post("/undo")
@requires(Permission.OPERATE)
@takes("seen")
def undo(reference: str) -> BaseResponse:
    """Have everything taken back that is there."""
    return _moved(reference, acting.undo_all, _("What was done is undone now, the last step first."))


@blueprint.post("/by-hand")
@requires(Permission.OPERATE)
@takes("seen", "step", "proof", "files")
def claim(reference: str) -> BaseResponse:
    """Say, with proof, that a step was done or undone by hand."""
    actor = current_actor()
    words = request.form.get("proof", "")
    taken, refused = receive(
        request.files.getlist("files"),
        kinds=_PROOF,
        most_bytes=settings().attachment_bytes,
        store=services().get(Store),  # type: ignore[type-abstract]  # wiring made one that fits the protocol
    )
    if refused:
        return _page(reference, proof=words, errors={"files": " ".join(refused)}, status=422)
    try:
        with transaction() as db:
            acting.insist_on_fresh(db, actor, settings())
            files = tuple(keep_uploads(db, actor.person_id or 0, taken))
            said = Claim(request.form.get("step", 0, type=int), request.form.get("seen", ""), words, files)
            by_hand.claim(db, actor, reference, said, settings=settings())
    except StepUpNeeded as needed:
        session[PENDING] = {"reference": reference, "proof": words[: by_hand.LONGEST_WORDS]}
        return _sign_in_again(reference, needed)
    except FieldError as error:
        return _page(reference, proof=words, errors={error.field: error.message}, status=422)
    flash(_("Kept. It counts when a second operator confirms it; they were told by mail."), "success")
    return redirect(url_for("failures.show", reference=reference), 303)


@blueprint.post("/by-hand/confirm")
@requires(Permission.OPERATE)
@takes("seen")
def confirm(reference: str) -> BaseResponse:
    """As a second person, let it count."""
    return _moved(reference, by_hand.confirm, _("Confirmed. The request goes on by itself."))


@blueprint.post("/by-hand/decline")
@requires(Permission.OPERATE)
@takes("seen", "words")
def decline(reference: str) -> BaseResponse:
    """Let it not count."""
    words = request.form.get("words", "")

    def declined(db: Any, actor: Any, reference: str, seen: str, **more: Any) -> Any:
        return by_hand.decline(db, actor, reference, seen, words, **more)

    try:
        return _moved(reference, declined, _("It does not count. The request waits as before."))
    except FieldError as error:
        return _page(reference, words=words, errors={error.field: error.message}, status=422)


def _moved(reference: str, move: Callable[..., Any], said: str) -> BaseResponse:
    try:
        with transaction() as db:
            move(db, current_actor(), reference, request.form.get("seen", ""), settings=settings())
    except StepUpNeeded as needed:
        return _sign_in_again(reference, needed)
    flash(said, "success")
    return redirect(url_for("failures.show", reference=reference), 303)


def _sign_in_again(reference: str, needed: StepUpNeeded) -> BaseResponse:
    here = url_for("failures.show", reference=reference)
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)


def _page(
    reference: str,
    *,
    proof: str = "",
    words: str = "",
    errors: dict[str, str] | None = None,
    again: bool = False,
    status: int = 200,
) -> Response:
    with reading() as db:
        page = failure_page(db, current_actor(), reference)
    return render(
        "catalog/fulfilment/failures/show.html",
        status,
        failure=page,
        proof=proof,
        words=words,
        errors=errors or {},
        again=again,
        accept=",".join(f".{ending}" for ending in endings_of(_PROOF)),
        largest_mib=settings().attachment_bytes // MIB,
    )
