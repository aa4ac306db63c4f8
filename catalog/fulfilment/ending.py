"""How a fulfilment ends: well, stopped because the world moved, or failed for good."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from catalog.fulfilment.effects import end_what_was_removed
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.operators import tell_operators
from catalog.fulfilment.replacing import shorten_what_was_replaced
from catalog.requests import tags
from catalog.requests.events import RequestFailed, RequestFulfilled
from catalog.requests.model import Request
from catalog.requests.moves import OPERATORS, drop_baton, hand_baton, move, subject_of
from catalog.requests.replan import replan
from catalog.requests.seal import seal
from catalog.requests.states import Move
from catalog.requests.telling import tell_requester
from portal.audit import record
from portal.core.clock import now
from portal.core.events import publish
from portal.core.language import N_, every_language, say, spoken
from portal.identity.actor import PORTAL

TAMPERED = N_(
    "What is stored for this request is not what was approved, so nothing was carried out. "
    "The operators have been told."
)


def end_well(session: Session, request: Request, steps: Sequence[Step]) -> None:
    """Everything that was sealed is done and was read back."""
    move(session, request, Move.COMPLETE)
    request.fulfilled_at = now(session)
    drop_baton(request)
    end_what_was_removed(session, request, steps)
    shorten_what_was_replaced(session, request, steps)
    record(
        session,
        tags.FULFILLED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"seal": request.seal, "steps": len(request.plans)},
    )
    publish(session, RequestFulfilled(request.id))
    tell_requester(session, request, "request_fulfilled")


def end_badly(session: Session, request: Request, steps: Sequence[Step]) -> None:
    """Nothing is left to undo: prepare again after a drift that left nothing behind, or fail and say what is where."""
    left = [step for step in steps if step.state is StepState.NOT_REVERTED]
    causes = [step for step in steps if step.state is StepState.FAILED] or [
        step for step in steps if step.error and step not in left
    ]
    cause = causes[-1] if causes else steps[-1]
    if cause.drifted and not left:
        stop_and_replan(session, request, cause.error)
        return
    whys = [cause.error, *(_left_behind(step) for step in left)]
    fail(session, request, every_language(lambda: " ".join(spoken(why) for why in whys)), steps)


def _left_behind(step: Step) -> str:
    return say(
        "The step “%(step)s” was done and could not be undone, so an operator must: %(why)s",
        step=step.name,
        why=step.error,
    )


def refuse_tampered(session: Session, request: Request) -> None:
    """What is stored is not what was sealed: stop where it stands, and tell the operators."""
    record(
        session,
        tags.SEAL_MISMATCH,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"sealed": request.seal, "computed": seal(request)},
    )
    fail(session, request, say(TAMPERED))


def stop_and_replan(session: Session, request: Request, why: str) -> None:
    """Nothing of this revision is carried out; every approval is void and the request is prepared again."""
    record(
        session,
        tags.STOPPED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"seal": request.seal, "revision": request.revision},
        personal={"why": why},
    )
    replan(session, request, why)


def fail(session: Session, request: Request, why: str, steps: Sequence[Step] = ()) -> None:
    """The request is failed and the operators must look; `why` is a sentence for the requester too.

    The entry says of each step how it stands.
    """
    move(session, request, Move.FAIL)
    request.outcome = why
    hand_baton(session, request, OPERATORS)
    record(
        session,
        tags.FAILED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "seal": request.seal,
            "steps": [{"step": step.position, "state": step.state.value} for step in steps],
        },
        personal={"why": why},
    )
    publish(session, RequestFailed(request.id))
    tell_requester(session, request, "request_failed")
    summary = say("%(reference)s failed", reference=request.reference)
    tell_operators(
        session,
        summary,
        task="fulfil",
        reference=request.reference,
        why=why,
        path=f"/operations/requests/{request.reference}",
    )
