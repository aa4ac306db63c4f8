"""Deciding: one person's word on one seal, checked anew against everything that could have changed."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.waiting import go_on
from approvals.decisions.changes import SealChanged, changes_since
from approvals.decisions.model import Decision, Verdict
from approvals.decisions.outcome import stage_agreed, stage_denied
from approvals.decisions.right import NotYours, leave_others_possible, stage_for
from approvals.delegation.deciding import insist_on_free_place
from approvals.emergency.recount import tightened
from approvals.routing.eligible import eligible_now
from approvals.routing.model import Stage
from approvals.routing.opening import open_next_stage
from approvals.routing.stages import approvals_by_stage, decisions_of, stages_of
from approvals.signatures.demand import needs_passkey
from approvals.signatures.sign import Checked, Signature, check_signature, keep_signature
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.seal import seal as seal_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError
from portal.core.language import _
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.step_up import StepUp

LONGEST_COMMENT = 2000


def decide(
    session: Session,
    actor: Actor,
    request_id: int,
    *,
    verdict: Verdict,
    comment: str,
    seal: str,
    settings: Settings,
    signature: Signature | None = None,
) -> Decision:
    """Record the actor's decision on what the seal covers, and all that follows from it, in this transaction.

    Raises Conflict when the request moved on, was decided or changed (SealChanged), NotYours for anybody who
    may not decide, FieldError for a comment that is missing or too long, StepUpNeeded for a sign-in that is too
    old or too weak, SignatureNeeded where the offering demands a passkey's signature and none that holds is given.
    The order of the checks matters: nobody is sent to sign in for a decision that cannot count.
    """
    if (person_id := actor.person_id) is None:
        raise NotYours(_("Only people decide."))
    request = get_locked(session, request_id)
    stages = stages_of(session, request)
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, stages)
    stage = stage_for(person_id, request, stages, decisions, eligible, verdict=verdict)
    _check_seal(session, request, seal)
    comment = _checked(comment, verdict)
    at = now(session)
    auth_time = StepUp.of(settings).check(
        actor, risk=str(request.risk.get("level", "")), acr=stage.acr, at=at
    )
    if verdict is Verdict.APPROVE:
        leave_others_possible(person_id, stage, stages, eligible, decisions)
    checked = (
        check_signature(
            session,
            actor,
            request,
            stage=stage,
            verdict=verdict,
            signature=signature,
            settings=settings,
        )
        if needs_passkey(request)
        else None
    )
    place = eligible[stage.id][person_id]
    # Asked again right before it is written: choosing the stage should never have led here.
    insist_on_free_place(place, decisions)
    decision = _write(
        session,
        actor,
        request,
        Decision(
            request_id=request.id,
            revision=request.revision,
            stage_id=stage.id,
            person_id=person_id,
            on_behalf_of_id=place.on_behalf_of_id,
            verdict=verdict,
            comment=comment,
            seal=request.seal,
            decided_at=at,
            auth_time=auth_time,
            acr=actor.acr,
            amr=list(actor.amr),
        ),
        stage=stage,
        rule=place.rule,
        signed=checked,
    )
    if verdict is Verdict.DENY:
        stage_denied(
            session,
            actor,
            request,
            stage,
            others=[other for other in stages if other is not stage],
            reason=comment,
        )
    elif len(approvals_by_stage([*decisions, decision])[stage.id]) >= stage.quorum:
        if not tightened(session, request, stage):
            stage_agreed(session, request, stage, settings=settings)
    else:
        open_next_stage(session, request, settings=settings)
    # A question that was open in this stage needs no answer any more.
    go_on(session, request)
    return decision


def _check_seal(session: Session, request: Request, seal: str) -> None:
    if seal != request.seal:
        raise SealChanged(changes_since(session, request, seal))
    if seal_of(request) != request.seal:
        raise SealChanged(
            (_("What is stored is not what was sealed. Nobody can decide on it; tell the operators."),)
        )


def _checked(comment: str, verdict: Verdict) -> str:
    try:
        comment = clean_text(comment)
    except ValueError as error:
        raise FieldError("comment", f"{error}.") from error
    if len(comment) > LONGEST_COMMENT:
        raise FieldError(
            "comment", _("Shorten your comment to %(number)s characters.", number=LONGEST_COMMENT)
        )
    if verdict is Verdict.DENY and not comment:
        raise FieldError("comment", _("Write why you deny it; the requester reads this."))
    return comment


def _write(
    session: Session,
    actor: Actor,
    request: Request,
    decision: Decision,
    *,
    stage: Stage,
    rule: str,
    signed: Checked | None,
) -> Decision:
    try:
        # The row lock makes this rare; the unique constraint makes it impossible.
        with session.begin_nested():
            session.add(decision)
    except IntegrityError as error:
        raise Conflict(_("You have already decided on this request. One person counts once.")) from error
    if signed is not None:
        keep_signature(session, decision, signed)
    record(
        session,
        tags.APPROVED if decision.verdict is Verdict.APPROVE else tags.DENIED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "stage": stage.slug,
            "revision": request.revision,
            "seal": request.seal,
            "rule": rule,
            **({"on_behalf_of": f"person:{decision.on_behalf_of_id}"} if decision.on_behalf_of_id else {}),
            "auth_time": decision.auth_time.isoformat(),
            "acr": actor.acr,
            "amr": list(actor.amr),
            **({"signature": signed.facts} if signed is not None else {}),
        },
        personal={"comment": decision.comment} if decision.comment else {},
    )
    return decision
