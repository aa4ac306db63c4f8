"""The sweep over open stages: whatever is due happens once, each in a transaction of its own.

A sweep reads only rows that are due, by their index, and every row that it looks at is deleted or moved into the
future, so its work does not grow with what is open or was ever decided.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from approvals.routing.deadlines import calendars_for, due_at
from approvals.routing.model import Stage, StageState
from approvals.routing.opening import too_few_left
from approvals.timing.asked import Standing, standing_of
from approvals.timing.close import expire
from approvals.timing.escalate import escalate
from approvals.timing.model import StageTimer, TimerKind
from approvals.timing.remind import remind
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.replan import replan
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.settings import Settings
from portal.jobs import Job

KEEP_TIME = "keep_stage_times"
#: How many one round looks at; what is left comes with the next one.
AT_ONCE = 200


def keep_stage_times(job: Job) -> None:
    """The task that reminds, escalates and expires. Safe to run again at any point."""
    with job.reading() as session:
        rows = session.execute(
            select(StageTimer.id, Stage.request_id)
            .join(Stage, Stage.id == StageTimer.stage_id)
            .join(Request, Request.id == Stage.request_id)
            .where(
                StageTimer.due_at <= now(session),
                # While the requester is asked something their clock stands still; of a closed stage the row goes.
                or_(Request.paused_since.is_(None), Stage.state != StageState.OPEN),
            )
            .order_by(StageTimer.due_at, StageTimer.id)
            .limit(AT_ONCE)
        ).all()
    for timer_id, request_id in rows:
        with job.transaction() as session:
            let_happen(session, request_id, timer_id, settings=job.settings)


def let_happen(session: Session, request_id: int, timer_id: int, *, settings: Settings) -> None:
    """What this timer is for, if it is still due on the locked request; nothing where another sweep was faster."""
    request = get_locked(session, request_id)
    timer = session.get(StageTimer, timer_id, populate_existing=True)
    if timer is None:
        return
    stage = session.get_one(Stage, timer.stage_id, populate_existing=True)
    current = stage.revision == request.revision and request.state is State.PENDING
    if stage.state is not StageState.OPEN or not current:
        session.delete(timer)
        return
    if request.paused_since is not None:
        return
    standing = standing_of(session, request)
    if (lacking := standing.lacking) is not None:
        # Waiting longer would be waiting for people who are gone.
        session.delete(timer)
        replan(session, request, too_few_left(lacking))
        return
    due = _due(session, request, stage, timer, standing)
    if due > now(session):
        timer.due_at = due
        return
    session.delete(timer)
    session.flush()
    match timer.kind:
        case TimerKind.REMIND:
            remind(session, request, stage, standing, settings=settings)
        case TimerKind.ESCALATE:
            escalate(session, request, stage, timer.minutes, settings=settings)
        case TimerKind.EXPIRE:
            expire(session, request, stage)


def _due(session: Session, request: Request, stage: Stage, timer: StageTimer, standing: Standing) -> datetime:
    """When it is due by the absences as they are now, and with what the clock has stood still since it opened."""
    people = standing.principals_left_in(stage)
    stood_still = request.paused_minutes - timer.paused_minutes
    return due_at(
        calendars_for(session, people, document_of(request.version).calendar),
        start=stage.opened_at or now(session),
        minutes=timer.minutes + stood_still,
        quorum=standing.demands[stage.id].quorum,
    )
