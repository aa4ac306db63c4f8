"""Requests that end what others brought, and wait until people have undone the last of it by hand."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.connector import KIND
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.waking import wake
from catalog.requests.events import EntitlementEnded


def on_ended(session: Session, event: EntitlementEnded) -> None:
    """Have every step that waits for this to end look again."""
    waiting = session.scalars(
        select(Step).where(
            Step.connector == KIND, Step.state.in_([StepState.APPLYING, StepState.WAITING_FOR_PEOPLE])
        )
    ).all()
    for step in waiting:
        if event.entitlement_id in step.plan["document"]["entitlements"]:
            wake(session, step.key, because=f"ended:{event.entitlement_id}")
