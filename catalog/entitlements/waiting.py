"""Requests that end what others brought, and wait until people have undone the last of it by hand."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.connector import KIND
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.waking import wake
from catalog.requests.events import EntitlementEnded
from portal.identity.model import Person


def on_ended(session: Session, event: EntitlementEnded) -> None:
    """Have every step that waits for this to end look again."""
    waiting = session.scalars(
        select(Step).where(
            Step.connector == KIND, Step.state.in_([StepState.APPLYING, StepState.WAITING_FOR_PEOPLE])
        )
    ).all()
    ended = session.get_one(Entitlement, event.entitlement_id)
    holder = session.get_one(Person, ended.person_id).user_name if waiting else ""
    for step in waiting:
        if step.plan["document"]["person"] == holder:
            wake(session, step.key, because=f"ended:{event.entitlement_id}")
