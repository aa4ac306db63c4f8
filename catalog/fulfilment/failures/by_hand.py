"""Done by hand: one operator says so with proof, the target is asked where it can tell, and a second one confirms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.attachments.attach import attach
from catalog.attachments.references import FileReference
from catalog.entitlements.ending import end_with_step
from catalog.fulfilment.artefacts import lines_json
from catalog.fulfilment.connectors.contract import PlanLine
from catalog.fulfilment.effects import BY_HAND
from catalog.fulfilment.failures.acting import insist_on_fresh
from catalog.fulfilment.failures.looking import LOOK
from catalog.fulfilment.failures.situation import CHANGED, Situation, locked_situation, step_of
from catalog.fulfilment.following import set_off
from catalog.fulfilment.model import ByHand, ByHandState, Step, StepState
from catalog.fulfilment.operators import tell_operators
from catalog.fulfilment.orders import order_again
from catalog.fulfilment.queues import queue_of
from catalog.fulfilment.undoing import after_undoing
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import OPERATORS, THE_PORTAL, hand_baton, subject_of
from catalog.requests.states import State
from portal.audit import record
from portal.core.canonical import canonical_json
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.core.language import _, say
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.jobs import enqueue
from portal.jobs.operators import cancel

LEAST_WORDS, LONGEST_WORDS = 10, 4000


@dataclass(frozen=True, slots=True)
class Claim:
    """What an operator says: which step, by what they saw, with which proof."""

    step_id: int
    seen: str
    proof: str
    files: tuple[FileReference, ...] = ()


def claim(session: Session, actor: Actor, reference: str, said: Claim, *, settings: Settings) -> ByHand:
    """Say that a step was done, or undone, by hand. Nothing follows from it until a second operator confirms.

    Raises StepUpNeeded, NotFound, FieldError without proof, Forbidden for whoever asks or receives, and Conflict
    when the step is no longer as the operator saw it.
    """
    insist_on_fresh(session, actor, settings)
    situation = locked_situation(session, reference, said.seen)
    request = situation.request
    insist_on_outsider(actor, request)
    step = step_of(situation, said.step_id)
    undone = situation.may_be_undone_by_hand(step)
    if situation.claim is not None or not (undone or situation.may_be_done_by_hand(step)):
        raise Conflict(_(CHANGED))
    row = ByHand(
        request_id=request.id,
        step_id=step.id,
        undone=undone,
        state=ByHandState.CLAIMED,
        proof=_words("proof", said.proof),
        claimed_by_id=actor.person_id,
        claimed_at=now(session),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Conflict(_(CHANGED)) from None
    attach(session, actor, request, said.files, part=f"by-hand:{row.id}", uploader_id=actor.person_id or 0)
    record(
        session,
        tags.BY_HAND_CLAIMED,
        subject=subject_of(request),
        actor=actor,
        facts={**_facts(row, step), "proof": [file.digest for file in said.files]},
        personal={"why": row.proof},
    )
    enqueue(session, LOOK, {"by_hand_id": row.id}, queue=queue_of(session, step.connector))
    tell_operators(
        session,
        say("%(reference)s: confirm what was done by hand", reference=request.reference),
        task=LOOK,
        reference=request.reference,
        why=row.proof,
        path=f"/operations/requests/{request.reference}",
    )
    return row


def confirm(session: Session, actor: Actor, reference: str, seen: str, *, settings: Settings) -> ByHand:
    """As a second person, let the claim count: the fulfilment goes on as if the portal had done it.

    Raises as `claim`, and Forbidden for the first person.
    """
    insist_on_fresh(session, actor, settings)
    situation = locked_situation(session, reference, seen)
    request, row = situation.request, _open_claim(situation, actor)
    step = step_of(situation, row.step_id)
    allowed = situation.may_be_undone_by_hand if row.undone else situation.may_be_done_by_hand
    if not allowed(step):
        raise Conflict(_(CHANGED))
    _close(session, actor, row, ByHandState.CONFIRMED)
    told = {
        "by": f"person:{row.claimed_by_id}",
        "confirmed_by": f"person:{row.closed_by_id}",
        "proof": row.proof,
        "target": what_target_said(row),
    }
    record(
        session,
        tags.BY_HAND_CONFIRMED,
        subject=subject_of(request),
        actor=actor,
        facts={**_facts(row, step), "target": told["target"], "claimed_by": told["by"]},
    )
    hand_baton(session, request, THE_PORTAL)
    if situation.task is not None:
        cancel(session, situation.task.id)
    if row.undone:
        step.state = StepState.REVERTED
        step.error = ""
        step.outcome = {**step.outcome, "undone_by_hand": told}
        end_with_step(session, request, step)
        record(
            session,
            tags.STEP_REVERTED,
            subject=subject_of(request),
            actor=actor,
            facts={"step": step.position, "key": step.key},
        )
        after_undoing(session, request, because=f"by-hand:{row.id}")
    else:
        _go_on(session, actor, situation, step, told)
    return row


def decline(
    session: Session, actor: Actor, reference: str, seen: str, words: str, *, settings: Settings
) -> ByHand:
    """Let the claim not count, with the reason; whoever made it may take it back so too. Raises as `claim`."""
    insist_on_fresh(session, actor, settings)
    situation = locked_situation(session, reference, seen)
    row = situation.claim
    if row is None:
        raise Conflict(_(CHANGED))
    row.words = _words("words", words)
    _close(session, actor, row, ByHandState.DECLINED)
    step = step_of(situation, row.step_id)
    record(
        session,
        tags.BY_HAND_DECLINED,
        subject=subject_of(situation.request),
        actor=actor,
        facts=_facts(row, step),
        personal={"why": row.words},
    )
    hand_baton(session, situation.request, OPERATORS)
    return row


def insist_on_outsider(actor: Actor, request: Request) -> None:
    """Raise Forbidden for whoever asks or receives: they cannot be who says that it was done."""
    if actor.person_id is None or actor.person_id in {
        request.requester_id,
        request.beneficiary_id,
        request.editor_id,
    }:
        raise Forbidden(_("Whoever asks or receives cannot say that it was done. Leave it to a colleague."))


def what_target_said(row: ByHand) -> str:
    """`present`, `absent`, `unknown` where it cannot say, or `not-asked` yet."""
    if not row.target:
        return "not-asked"
    return {True: "present", False: "absent"}.get(row.target["present"], "unknown")


def _open_claim(situation: Situation, actor: Actor) -> ByHand:
    row = situation.claim
    if row is None:
        raise Conflict(_(CHANGED))
    insist_on_outsider(actor, situation.request)
    if row.claimed_by_id == actor.person_id:
        raise Forbidden(_("A second person must confirm it: you are the first."))
    return row


def _close(session: Session, actor: Actor, row: ByHand, state: ByHandState) -> None:
    row.state = state
    row.closed_by_id = actor.person_id
    row.closed_at = now(session)
    session.flush()


def _go_on(session: Session, actor: Actor, situation: Situation, step: Step, told: dict[str, Any]) -> None:
    """Take the step as applied; its own task reads it back as far as can be, and grants what it brings."""
    request = situation.request
    steps = situation.steps
    failed = request.state is State.FAILED
    if failed:
        steps = order_again(session, request)
        step = steps[step.position - 1]
    step.state = StepState.APPLIED
    step.started_at = now(session)
    step.error = ""
    step.outcome = {
        "facts": {},
        "lines": lines_json([PlanLine("note", say("Done by hand: %(proof)s", proof=told["proof"]))]),
        "found": BY_HAND,
        "by_hand": told,
    }
    record(
        session,
        tags.STEP_APPLIED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "step": step.position,
            "connector": step.connector,
            "key": step.key,
            "seal": request.seal,
            "found": BY_HAND,
        },
        personal={"outcome": canonical_json({}).decode()},
    )
    session.flush()
    if not failed:
        set_off(session, request, steps, because=f"by-hand:{told['by']}:{now(session).isoformat()}")


def _facts(row: ByHand, step: Step) -> dict[str, Any]:
    return {"claim": row.id, "step": step.position, "key": step.key, "undone": row.undone}


def _words(field: str, text: str) -> str:
    try:
        words = clean_text(text)
    except ValueError as error:
        raise FieldError(field, f"{error}.") from error
    if len(words) < LEAST_WORDS:
        raise FieldError(
            field, _("Write what was done, where it can be seen, or why not: a few words at least.")
        )
    if len(words) > LONGEST_WORDS:
        raise FieldError(field, _("This is longer than %(most)s characters; shorten it.", most=LONGEST_WORDS))
    return words
