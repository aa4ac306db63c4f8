"""What a finished step means to the record of what is live: something new, or the end of something.

Two questions that a connector may answer beside its contract. One that says nothing brings something to life.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.ending import close_entitlement, tell_holder
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Connector, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step
from catalog.requests.model import Request


def removes(connector: Connector, plan: Plan) -> str:
    """The entitlement key of what the plan takes away from the target; empty for a plan that takes nothing away."""
    say = getattr(connector, "removes", None)
    return str(say(plan)) if say is not None else ""


def brings_to_life(connector: Connector, plan: Plan) -> bool:
    """Whether something is live because of this plan that will have to end."""
    say = getattr(connector, "brings_to_life", None)
    return bool(say(plan)) if say is not None else not removes(connector, plan)


def end_what_was_removed(
    session: Session, request: Request, steps: list[Step], connectors: Connectors
) -> None:
    """End the record of whatever the request's finished steps took away, and tell who had it."""
    for step in steps:
        key = removes(connectors.get(step.connector), Plan.from_json(step.plan))
        if not key:
            continue
        statement = select(Entitlement).where(
            Entitlement.connector == step.connector,
            Entitlement.key == key,
            Entitlement.state != EntitlementState.ENDED,
        )
        for entitlement in session.scalars(statement.with_for_update()).all():
            close_entitlement(session, entitlement, why=f"It was taken away by {request.reference}.")
            tell_holder(session, "entitlement_ended", entitlement)
