"""What a finished step means to the record of what is live: something new, or the end of something.

Two questions that a connector may answer beside its contract. One that says nothing brings something to life.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.ending import close_entitlement, tell_holder
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Connector, ConnectorError, Plan
from catalog.fulfilment.model import Step
from catalog.fulfilment.work import Work
from catalog.requests.model import Request

#: How an effect came to be there: an operator did it by hand, and a second one confirmed that.
BY_HAND = "by-hand"
#: Where a finished step's outcome keeps what it took away, for the end of the fulfilment to read.
REMOVES = "removes"


def removes(connector: Connector, plan: Plan) -> str:
    """The entitlement key of what the plan takes away from the target; empty for a plan that takes nothing away."""
    say = getattr(connector, "removes", None)
    return str(say(plan)) if say is not None else ""


def brings_to_life(connector: Connector, plan: Plan) -> bool:
    """Whether something is live because of this plan that will have to end."""
    say = getattr(connector, "brings_to_life", None)
    return bool(say(plan)) if say is not None else not removes(connector, plan)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The entitlement keys of what a step brings to life and of what it takes away; empty for neither."""

    brings: str
    removes: str


def meaning_of(work: Work, step: Step, plan: Plan) -> Meaning:
    """What the step means to the record. Raises ConnectorError for a connector that there is not.

    What was done by hand because there is no such connector any more is known by its step.
    """
    try:
        connector = work.connector(step)
        brings = connector.entitlement_key(plan) if brings_to_life(connector, plan) else ""
        return Meaning(brings, removes(connector, plan))
    except ConnectorError:
        if step.outcome.get("found") != BY_HAND:
            raise
        return Meaning(f"by-hand:{step.key}", "")


def end_what_was_removed(session: Session, request: Request, steps: Iterable[Step]) -> None:
    """End the record of whatever the request's finished steps took away, and tell who had it."""
    for step in steps:
        key = step.outcome.get(REMOVES)
        if not key:
            continue
        statement = select(Entitlement).where(
            Entitlement.connector == step.connector,
            Entitlement.key == key,
            Entitlement.state != EntitlementState.ENDED,
        )
        for entitlement in session.scalars(statement.order_by(Entitlement.id).with_for_update()).all():
            close_entitlement(session, entitlement, why=f"It was taken away by {request.reference}.")
            tell_holder(session, "entitlement_ended", entitlement)
