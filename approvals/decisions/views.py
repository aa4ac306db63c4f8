"""The inbox and the decision card."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.decisions.changes import SealChanged
from approvals.decisions.decide import decide as decide_on
from approvals.decisions.filters import Filter
from approvals.decisions.inbox import inbox_of
from approvals.decisions.model import Verdict
from approvals.decisions.openings import remember_opening
from approvals.decisions.present import card_of, stage_of
from approvals.decisions.read import read_for_decision
from approvals.decisions.right import NotYours
from approvals.signatures.page import signing_of
from approvals.signatures.sign import PasskeyMissing, Signature, SignatureNeeded
from catalog.requests.conversation import Typed
from catalog.requests.queries import find_id
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound, PortalError
from portal.core.http import reading, render, settings, transaction
from portal.core.language import N_, _
from portal.identity.access import current_actor, signed_in
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("approvals", __name__)

#: Where a decision that waits for a fresh sign-in is kept: on the server, in the session.
PENDING = "pending_decision"
#: What became of requests that were decided together, told once.
OUTCOMES = "outcomes_of_choice"
_FIELDS = frozenset({"csrf_token", "seal", "comment", "decision", "passkey_nonce", "passkey_answer"})
_LONGEST_KEPT = 20_000
_LONGEST_NUMBER = 18
_NOTHING = Typed()
_DONE = {
    Verdict.APPROVE: N_("You approved %(reference)s."),
    Verdict.DENY: N_("You denied %(reference)s. The requester is told your reason."),
}


@blueprint.get("/approvals")
@signed_in
def index() -> Response:
    """What waits for the reader's decision, the oldest promise first."""
    with reading() as db:
        inbox = inbox_of(db, current_actor(), after=_after(), only=Filter.of(request.args))
    return render("approvals/decisions/index.html", inbox=inbox, outcomes=session.pop(OUTCOMES, ()))


@blueprint.get("/approvals/<reference>")
@signed_in
def show(reference: str) -> Response:
    """The decision card. What was typed before signing in again stands there again; the person presses anew."""
    kept = session.get(PENDING)
    mine = kept if kept and kept["reference"] == reference else None
    return card_page(
        reference, comment=mine["comment"] if mine else "", again=mine["decision"] if mine else ""
    )


@blueprint.post("/approvals/<reference>/decision")
@signed_in
def decide(reference: str) -> BaseResponse:
    """Approve or deny what the posted seal covers."""
    verdict = _verdict()
    comment = request.form.get("comment", "")
    try:
        with transaction() as db:
            request_id = find_id(db, reference)
            if request_id is None:
                raise NotFound(_("There is no such request, or you were not asked to decide it."))
            decide_on(
                db,
                current_actor(),
                request_id,
                verdict=verdict,
                comment=comment,
                seal=request.form.get("seal", ""),
                settings=settings(),
                signature=_signature(),
            )
    except PasskeyMissing:
        here = _keep(reference, verdict, comment)
        return redirect(url_for("passkeys.new", next=here), 303)
    except StepUpNeeded as needed:
        here = _keep(reference, verdict, comment)
        return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)
    except SealChanged as changed:
        return card_page(reference, comment=comment, problem=changed, changes=changed.changes)
    except (Conflict, FieldError, NotYours, SignatureNeeded) as problem:
        # Whoever was never asked gets "not found" from the card itself.
        return card_page(reference, comment=comment, problem=problem)
    session.pop(PENDING, None)
    flash(_(_DONE[verdict], reference=reference), "success")
    return redirect(url_for("approvals.show", reference=reference), 303)


def card_page(
    reference: str,
    *,
    comment: str = "",
    again: str = "",
    problem: PortalError | None = None,
    changes: tuple[str, ...] = (),
    typed: Typed = _NOTHING,
    status: int = 200,
) -> Response:
    """The card, with what was typed into one of its forms and could not be taken. Raises NotFound."""
    actor = current_actor()
    with reading() as db:
        found, at = read_for_decision(db, actor, reference), now(db)
        card = card_of(found, actor, at=at)
        stages = {verdict: stage for verdict in Verdict if (stage := stage_of(found, actor, verdict))}
        signing = signing_of(db, actor, found.request, stages, at=at, settings=settings())
    if card.open and card.seal != found.seen and request.method != "HEAD":
        with transaction() as db:
            remember_opening(db, actor, found.request.id, card.seal)
    on_comment = isinstance(problem, FieldError)
    return render(
        "approvals/decisions/show.html",
        problem.status if problem else status,
        card=card,
        signing=signing,
        comment=comment,
        again=again,
        comment_error=problem.sentence if problem and on_comment else "",
        conflict=problem.sentence if problem and not on_comment else "",
        changes=changes,
        typed=typed,
    )


def _keep(reference: str, verdict: Verdict, comment: str) -> str:
    """Keep what was typed until the person is back; gives where they come back to."""
    session[PENDING] = {
        "reference": reference,
        "decision": verdict.value,
        "comment": comment[:_LONGEST_KEPT],
    }
    return url_for("approvals.show", reference=reference)


def _signature() -> Signature | None:
    answer = request.form.get("passkey_answer", "")
    return Signature(answer, request.form.get("passkey_nonce", "")) if answer else None


def _verdict() -> Verdict:
    """What was pressed. Raises PortalError for a form that is not ours."""
    if not _FIELDS.issuperset(request.form):
        raise PortalError(
            _("This form holds something that the page does not ask for. Reload the page and try again.")
        )
    try:
        return Verdict(request.form.get("decision", ""))
    except ValueError:
        raise PortalError(_("Choose whether you approve or deny.")) from None


def _after() -> tuple[datetime, int] | None:
    """The last line seen, from the address. Anything else than what the page itself wrote starts at the top."""
    due, _, stage = request.args.get("after", "").partition("~")
    if not stage.isdecimal() or len(stage) > _LONGEST_NUMBER:
        return None
    try:
        return datetime.fromisoformat(due).astimezone(UTC), int(stage)
    except (ValueError, OverflowError):
        return None
