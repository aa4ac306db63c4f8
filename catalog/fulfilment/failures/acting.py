"""Trying again and undoing: what one operator may decide alone, after a fresh sign-in."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.fulfilment.failures.situation import CHANGED, Situation, locked_situation
from catalog.fulfilment.following import TO_UNDO, set_off
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.orders import order_again
from catalog.fulfilment.undoing import after_undoing
from catalog.requests import tags
from catalog.requests.moves import THE_PORTAL, hand_baton, subject_of
from catalog.requests.states import State
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.core.language import _, say
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.step_up import StepUp
from portal.jobs.operators import cancel, put_back

#: These steps may have had an effect that nobody has read yet.
_UNKNOWN = frozenset({StepState.APPLYING, StepState.WAITING_FOR_PEOPLE})


def insist_on_fresh(session: Session, actor: Actor, settings: Settings) -> None:
    """Raise StepUpNeeded unless the operator signed in a short while ago: 15 minutes, or what the settings say."""
    StepUp.of(settings).check(actor, risk="medium", acr="", at=now(session))


def try_again(session: Session, actor: Actor, reference: str, seen: str, *, settings: Settings) -> None:
    """Make another attempt at a failed request, or put the task back that was set aside.

    Raises StepUpNeeded, NotFound, and Conflict when it is no longer as the operator saw it.
    """
    insist_on_fresh(session, actor, settings)
    situation = locked_situation(session, reference, seen)
    if not situation.may_retry:
        raise Conflict(_(CHANGED))
    request, task = situation.request, situation.task
    facts: dict[str, object] = {}
    if situation.failed:
        order_again(session, request)
    elif task is not None:
        put_back(session, task.id)
        hand_baton(session, request, THE_PORTAL)
        facts = {"task": task.id, "kind": task.kind}
    record(session, tags.RETRIED, subject=subject_of(request), actor=actor, facts=facts)


def undo_all(session: Session, actor: Actor, reference: str, seen: str, *, settings: Settings) -> None:
    """Have everything taken back that is on a target because of the request, the last first.

    A fulfilment that does not get on is given up by it, and fails when all is undone. Raises as `try_again`.
    """
    insist_on_fresh(session, actor, settings)
    situation = locked_situation(session, reference, seen)
    if not situation.may_undo:
        raise Conflict(_(CHANGED))
    request = situation.request
    record(
        session,
        tags.UNDO_ASKED,
        subject=subject_of(request),
        actor=actor,
        facts={"steps": [{"step": step.position, "attempt": step.attempt} for step in situation.left]},
    )
    hand_baton(session, request, THE_PORTAL)
    because = f"undo:{seen}:{now(session).isoformat()}"
    if request.state is State.FAILED:
        for step in situation.left:
            step.state = StepState.UNDOING
        after_undoing(session, request, because=because)
    else:
        _give_up(session, actor, situation)
        session.flush()
        set_off(session, request, situation.steps, because=because)


def _give_up(session: Session, actor: Actor, situation: Situation) -> None:
    """Stop at the step that does not get on: it is undone too where it may have had an effect."""
    if situation.task is not None:
        cancel(session, situation.task.id)
    stopped: Step = next(step for step in situation.steps if step.state is not StepState.DONE)
    stopped.error = say(
        "An operator stopped “%(step)s” and had what was done before undone.", step=stopped.name
    )
    stopped.finished_at = now(session)
    if stopped.state in TO_UNDO | _UNKNOWN:
        stopped.state = StepState.UNDOING
        return
    stopped.state = StepState.FAILED
    record(
        session,
        tags.STEP_FAILED,
        subject=subject_of(situation.request),
        actor=actor,
        facts={"step": stopped.position, "key": stopped.key, "drifted": False},
        personal={"why": stopped.error},
    )
