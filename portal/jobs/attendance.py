"""Attendance: workers say now and then which queue they serve, so that a queue that nobody serves is seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from portal.core.clock import now
from portal.core.database import Database
from portal.jobs.leases import database_now
from portal.jobs.model import Attendance, Task, TaskState

#: A worker says so this often, in seconds.
SIGN_SECONDS = 10.0
#: One that has not for so long is gone, and what has waited for so long waits in vain.
ABSENT_AFTER = timedelta(seconds=60)
_BUSY = aliased(Task)


class Unserved(NamedTuple):
    """A queue that nobody serves, how many tasks wait there, and since when the first one does (UTC)."""

    queue: str
    tasks: int
    since: datetime


def sign(db: Database, queue: str) -> None:
    """Say that a worker serves the queue now."""
    with db.transaction() as session:
        at = database_now(session)
        row = session.get(Attendance, queue)
        if row is not None:
            row.seen_at = at
            return
        try:
            with session.begin_nested():
                session.add(Attendance(queue=queue, seen_at=at))
        except IntegrityError:
            return  # another worker of the queue said so at the same instant


def unserved_queues(session: Session) -> Sequence[Unserved]:
    """Queues where tasks have been due for a minute and no worker was there since, by name; one statement."""
    late = now(session) - ABSENT_AFTER
    at = database_now(session)
    # A worker that is busy with a long task does not sign, but keeps its lease.
    served = or_(
        exists().where(Attendance.queue == Task.queue, Attendance.seen_at > at - ABSENT_AFTER),
        exists().where(_BUSY.queue == Task.queue, _BUSY.state == TaskState.RUNNING, _BUSY.lease_until > at),
    )
    # What goes first is dated back, so the time that it was added counts too.
    statement = (
        select(Task.queue, func.count(), func.min(Task.created_at))
        .where(Task.state == TaskState.WAITING, Task.run_at <= late, Task.created_at <= late, ~served)
        .group_by(Task.queue)
        .order_by(Task.queue)
    )
    return [Unserved(*row) for row in session.execute(statement).all()]
