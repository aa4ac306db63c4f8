"""When an approved request may be carried out: not before its own start, and in the next change window."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.offerings.emergency import RESERVED
from catalog.offerings.rules import holds, starts_at
from catalog.offerings.windows import next_opening
from catalog.requests.context import Context, context_of
from catalog.requests.model import Request


def carried_out_from(context: Context, at: datetime) -> datetime:
    """The first moment (UTC) at or after `at` when it may be carried out. Raises RuleFailed."""
    start = starts_at(context.document, context.facts)
    earliest = max(at, start) if start is not None else at
    window = context.document.window
    if window is None or (window.when is not None and not holds(window.when, context.facts)):
        return earliest
    return next_opening(window, earliest)


def must_wait_until(session: Session, request: Request, at: datetime) -> datetime | None:
    """When the request may be carried out, if that is not now; else None."""
    context = context_of(session, request)
    opens = (
        starts_at(context.document, context.facts) or at
        if goes_at_once(request)
        else carried_out_from(context, at)
    )
    return opens if opens > at else None


def goes_at_once(request: Request) -> bool:
    """Whether it was approved for now: by a committee, by break-glass, or in advance. It waits for no window."""
    return any(stage["slug"] in RESERVED for stage in request.route)
