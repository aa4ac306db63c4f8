"""What took the place of something else: that ends soon, once people had time to change over.

A connector says so in what it read back: `replaces` is the entitlement key of what ends, `replaced_until` the moment
(UTC) at which its target ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.moving import move_end
from catalog.fulfilment.model import Step
from catalog.requests import tags
from catalog.requests.model import Request
from portal.identity.actor import PORTAL


def shorten_what_was_replaced(session: Session, request: Request, steps: Iterable[Step]) -> None:
    """Have the record of whatever the request's finished steps replaced end when its target ends it."""
    for step in steps:
        facts = step.read_back.get("facts", {})
        if not facts.get("replaces"):
            continue
        until = datetime.fromisoformat(facts["replaced_until"])
        statement = select(Entitlement).where(
            Entitlement.connector == step.connector,
            Entitlement.key == facts["replaces"],
            Entitlement.state == EntitlementState.LIVE,
        )
        for entitlement in session.scalars(statement.order_by(Entitlement.id).with_for_update()).all():
            if entitlement.ends_at is None or entitlement.ends_at > until:
                # Nobody is asked whether they still need what is on its way out.
                entitlement.review_at = None
                move_end(
                    session,
                    entitlement,
                    until,
                    tag=tags.ENTITLEMENT_REPLACED,
                    actor=PORTAL,
                    because=request.reference,
                    facts={"by": request.reference},
                )
