"""Moving an end: of an extension, of what something else takes the place of, of an access review."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from catalog.entitlements.clock import arrange_end
from catalog.entitlements.model import Entitlement
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.identity.actor import Actor


def move_end(
    session: Session,
    entitlement: Entitlement,
    ends_at: datetime | None,
    *,
    tag: str,
    actor: Actor,
    because: str,
    facts: Mapping[str, Any],
) -> Request:
    """Have it end then (UTC; None for never), with its tasks, written down under the request that granted it.

    `tag` is one of `catalog.requests.tags.MOVES_OF_AN_END`, `facts` say what moved it, and `because` tells
    arrangements of one end apart. Returns the request that granted it.
    """
    request = session.get_one(Request, entitlement.request_id)
    before, entitlement.ends_at = entitlement.ends_at, ends_at
    arrange_end(session, request, entitlement, because=because)
    told = {
        "entitlement": entitlement.id,
        "ends_at": ends_at.isoformat() if ends_at else None,
        "ended_before": before.isoformat() if before else None,
    }
    record(session, tag, subject=subject_of(request), actor=actor, facts={**told, **facts})
    return request
