"""What the change calendar does when something happens to a request, in the same transaction (wired in portal.wiring)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.changes import tags
from catalog.changes.scheduling import find_change, opening_now, passes_windows, plan_open, touch
from catalog.changes.telling import tell_over
from catalog.requests.events import (
    FulfilmentStarting,
    RequestFailed,
    RequestFulfilled,
    RequestPlanned,
    RequestRefused,
    RequestRejected,
    RequestReplanned,
    RequestWithdrawn,
)
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL


def on_planned(session: Session, event: RequestPlanned) -> None:
    """It goes before its approvers: they read when it would be carried out."""
    plan_open(session, get_locked(session, event.request_id))


def on_starting(session: Session, event: FulfilmentStarting) -> None:
    """It starts. That an emergency does so outside of its windows, or within a freeze, is written down."""
    request = get_locked(session, event.request_id)
    at = now(session)
    if passes_windows(request):
        otherwise = opening_now(session, request, emergency=False)
        if otherwise.at is None or otherwise.at > at:
            record(
                session,
                tags.WINDOWS_PASSED,
                subject=subject_of(request),
                actor=PORTAL,
                facts={
                    "otherwise_at": otherwise.at.isoformat() if otherwise.at else None,
                    "windows": [window.number for window in otherwise.windows],
                    "freezes": [freeze.number for freeze in otherwise.freezes],
                },
            )
    change = find_change(session, request.id)
    if change is not None:
        change.started_at = change.started_at or at
        change.shown_at = change.started_at
        touch(session, change)


def on_fulfilled(session: Session, event: RequestFulfilled) -> None:
    """It is done; whoever was told before is told."""
    _over(session, event.request_id, "done")


def on_failed(session: Session, event: RequestFailed) -> None:
    """It could not be done."""
    _over(session, event.request_id, "failed")


def on_withdrawn(session: Session, event: RequestWithdrawn) -> None:
    """It is not done."""
    _over(session, event.request_id, "cancelled")


def on_rejected(session: Session, event: RequestRejected) -> None:
    """It is not done, even where others had agreed before."""
    _over(session, event.request_id, "cancelled")


def on_refused(session: Session, event: RequestRefused) -> None:
    """It is not done."""
    _over(session, event.request_id, "cancelled")


def on_replanned(session: Session, event: RequestReplanned) -> None:
    """It is planned anew: nothing of what was told before holds."""
    _over(session, event.request_id, "cancelled")


def _over(session: Session, request_id: int, news: str) -> None:
    request: Request = get_locked(session, request_id)
    change = find_change(session, request.id)
    if change is None:
        return
    tell_over(session, request, change, news)
    change.scheduled = False
    if news != "cancelled":
        change.finished_at = now(session)
    touch(session, change)
