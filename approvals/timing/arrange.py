"""Arranging what will become of a stage with time, when it opens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from approvals.routing.deadlines import due_at
from approvals.routing.model import Stage
from approvals.timing.model import StageTimer, TimerKind
from approvals.timing.steps import timing_of
from catalog.requests.model import Request
from portal.core.calendar import WorkingCalendar
from portal.core.clock import now


def arrange(session: Session, request: Request, stage: Stage, calendars: Sequence[WorkingCalendar]) -> None:
    """Write down the reminders, the first escalation and the expiry of a stage that opens now.

    `calendars` are those of its people: all of these count in their working time.
    """
    timing = timing_of(request, stage)
    wanted = [(TimerKind.REMIND, minutes) for minutes in timing.reminders]
    if timing.escalate_after < timing.expires_after:
        wanted.append((TimerKind.ESCALATE, timing.escalate_after))
    wanted.append((TimerKind.EXPIRE, timing.expires_after))
    start = stage.opened_at or now(session)
    session.add_all(
        StageTimer(
            stage_id=stage.id,
            kind=kind,
            minutes=minutes,
            paused_minutes=request.paused_minutes,
            due_at=due_at(calendars, start=start, minutes=minutes, quorum=stage.quorum),
        )
        for kind, minutes in wanted
    )
