"""When an approved request may be carried out: not before its own start, in every change window and in no freeze."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.changes.scheduling import schedule
from catalog.entitlements.extending.orders import find_extension
from catalog.offerings.emergency import RESERVED
from catalog.requests.model import Request


def must_wait_until(session: Session, request: Request, at: datetime) -> datetime | None:
    """When the request may be carried out, if that is not now; else None. The change calendar keeps it.

    Only an emergency goes round windows and freezes. An extension touches no target and waits for nothing.
    """
    if find_extension(session, request.id) is not None:
        return None
    return schedule(session, request, at)


def goes_at_once(request: Request) -> bool:
    """Whether it was approved for now: by a committee, by break-glass, or in advance. It goes before what waits."""
    return any(stage["slug"] in RESERVED for stage in request.route)
