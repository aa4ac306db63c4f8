"""Waking: people have done their part, so the task that waited for them runs again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import END_ENTITLEMENT
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.following import UNDO_STEP, enqueue_step
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.orders import enqueue_fulfilment
from catalog.fulfilment.queues import queue_of_step
from catalog.requests.moves import THE_PORTAL, get_locked, hand_baton, task_subject
from catalog.requests.states import State
from portal.jobs import enqueue


def wake(session: Session, step_key: str, *, because: str) -> None:
    """Have the fulfilment, or the ending, of this step go on, in the transaction that gave it cause.

    Safe when nothing waits yet: tasks of one request run one after the other, and each reads what is so then.
    `because` is new each time that people have had their say.
    """
    step = session.scalars(select(Step).where(Step.key == step_key)).one_or_none()
    if step is None:
        return
    request = get_locked(session, step.request_id)
    ending = session.scalars(
        select(Entitlement).where(
            Entitlement.step_id == step.id, Entitlement.state == EntitlementState.ENDING
        )
    ).one_or_none()
    if ending is not None:
        enqueue(
            session,
            END_ENTITLEMENT,
            {"entitlement_id": ending.id},
            queue=queue_of_step(session, step),
            subject=task_subject(request),
            dedupe_key=f"{END_ENTITLEMENT}:{ending.id}:{because}",
        )
    elif step.state is StepState.UNDOING:
        hand_baton(session, request, THE_PORTAL)
        enqueue_step(session, request, step, UNDO_STEP, because=because)
    elif request.state is State.FULFILLING and step.revision == request.revision:
        hand_baton(session, request, THE_PORTAL)
        enqueue_fulfilment(session, request, step.attempt, because=because)
