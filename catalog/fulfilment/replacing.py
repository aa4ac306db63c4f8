"""What took the place of something else: that ends soon, once people had time to change over.

A connector says so in what it read back: `replaces` is the entitlement key of what ends, `replaced_until` the moment
(UTC) at which its target ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import arrange_end
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.model import Step
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
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
                _end_at(session, entitlement, until, request)


def _end_at(session: Session, entitlement: Entitlement, until: datetime, by: Request) -> None:
    request = session.get_one(Request, entitlement.request_id)
    before, entitlement.ends_at = entitlement.ends_at, until
    # Nobody is asked whether they still need what is on its way out.
    entitlement.review_at = None
    arrange_end(session, request, entitlement, because=by.reference)
    record(
        session,
        tags.ENTITLEMENT_REPLACED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "entitlement": entitlement.id,
            "ends_at": until.isoformat(),
            "ended_before": before.isoformat() if before else None,
            "by": by.reference,
        },
    )
