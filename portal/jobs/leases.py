"""Leases: who may work on a task, until when, by the database's clock.

A claim is a conditional UPDATE that must change exactly one row. Each claim raises the task's fence; a former
holder comes with a smaller number and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, exists, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from portal.core.clock import now
from portal.core.database import is_sqlite
from portal.jobs.model import Task, TaskState

#: No lease is longer than this. One that seems to be was written before the clock was set back, and is over.
LONGEST_LEASE = timedelta(seconds=300)
#: Made once: an alias makes each of its columns anew, which takes longer than the statement.
_OTHER = aliased(Task)


class LostLease(Exception):
    """Another worker holds this task now, or it is finished; what was about to be written is not."""


def database_now(session: Session) -> datetime:
    """The time by the database's clock, so that workers' clocks need not agree. SQLite has this machine's."""
    if is_sqlite(session):
        return datetime.now(UTC)
    return cast("datetime", session.scalar(select(func.clock_timestamp()))).astimezone(UTC)


def due(session: Session) -> ColumnElement[bool]:
    """A condition: the task may be claimed now, because its time has come or its holder is gone."""
    at = database_now(session)
    abandoned = or_(Task.lease_until <= at, Task.lease_until > at + LONGEST_LEASE)
    return or_(
        and_(Task.state == TaskState.WAITING, Task.run_at <= now(session)),
        and_(Task.state == TaskState.RUNNING, abandoned),
    )


def due_tasks(session: Session, queue: str, limit: int) -> Sequence[int]:
    """Numbers of the queue's tasks that could be claimed now, the longest due first."""
    statement = select(Task.id).where(Task.queue == queue, due(session)).order_by(Task.run_at, Task.id)
    return session.scalars(statement.limit(limit)).all()


def find_due(session: Session, task_id: int) -> Task | None:
    """The task, locked, if it may be claimed now; None when it may not or another worker is at it."""
    statement = select(Task).where(Task.id == task_id, due(session)).with_for_update(skip_locked=True)
    return session.scalars(statement).one_or_none()


def claim(session: Session, task: Task, lease_seconds: float) -> bool:
    """Take the task for `lease_seconds`; False when another task of its subject runs."""
    subject_busy = exists().where(
        _OTHER.subject == task.subject, _OTHER.state == TaskState.RUNNING, _OTHER.id != task.id
    )
    statement = (
        update(Task)
        .where(Task.id == task.id, Task.fence == task.fence, Task.state == task.state, ~subject_busy)
        .values(
            state=TaskState.RUNNING,
            fence=task.fence + 1,
            attempts=task.attempts + 1,
            lease_until=_until(session, lease_seconds),
        )
        .execution_options(synchronize_session=False)
    )
    try:
        # Two tasks of one subject, claimed at the same instant: the unique index lets one through.
        with session.begin_nested():
            claimed = changed_one(session, statement)
    except IntegrityError:
        return False
    if claimed:
        session.refresh(task)
    return claimed


def extend(session: Session, task_id: int, fence: int, lease_seconds: float) -> bool:
    """Keep the lease for `lease_seconds` from now; False when it is no longer ours."""
    return changed_one(
        session,
        update(Task).where(_ours(task_id, fence)).values(lease_until=_until(session, lease_seconds)),
    )


def insist(session: Session, task_id: int, fence: int) -> None:
    """Lock the task's row and check that the lease is ours and valid, until this transaction ends.

    Raises LostLease. While the row is locked nobody can claim it, so what is committed with it was ours.
    """
    statement = select(Task.lease_until).where(_ours(task_id, fence)).with_for_update()
    until = session.scalars(statement).one_or_none()
    if until is None or until <= database_now(session):
        message = f"Task {task_id} is no longer held with fence {fence}"
        raise LostLease(message)


def finish(session: Session, task_id: int, fence: int) -> bool:
    """Mark the task done; False when it is no longer ours."""
    return changed_one(
        session,
        update(Task)
        .where(_ours(task_id, fence))
        .values(state=TaskState.DONE, finished_at=now(session), lease_until=None, last_error=None),
    )


def wait_briefly(session: Session) -> None:
    """Give up on a lock after a few seconds: the handler whose lease is renewed may itself hold the row."""
    if not is_sqlite(session):
        session.execute(text("SET LOCAL lock_timeout = '5s'"))


def changed_one(session: Session, statement: Any) -> bool:
    """Execute an UPDATE and say whether exactly one row changed."""
    result = cast("CursorResult[Any]", session.execute(statement))
    return result.rowcount == 1


def _ours(task_id: int, fence: int) -> ColumnElement[bool]:
    return and_(Task.id == task_id, Task.fence == fence, Task.state == TaskState.RUNNING)


def _until(session: Session, lease_seconds: float) -> datetime:
    return database_now(session) + min(timedelta(seconds=lease_seconds), LONGEST_LEASE)
