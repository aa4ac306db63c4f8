"""What operators see of the tasks, and the two things they may do."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.errors import Conflict, NotFound
from portal.jobs.doorbell import ring_after_commit
from portal.jobs.model import Task, TaskState


def tasks_set_aside(session: Session, limit: int = 100) -> Sequence[Task]:
    """Tasks that failed for good, the latest first."""
    return _in_state(session, (TaskState.FAILED,), limit)


def tasks_open(session: Session, limit: int = 100) -> Sequence[Task]:
    """Tasks that wait or run, the latest first."""
    return _in_state(session, (TaskState.WAITING, TaskState.RUNNING), limit)


def tasks_recent(session: Session, limit: int = 100, before: int | None = None) -> Sequence[Task]:
    """All tasks, the latest first, older than the number `before` (keyset paging)."""
    statement = select(Task).order_by(Task.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Task.id < before)
    return session.scalars(statement).all()


def task_counts(session: Session) -> dict[TaskState, int]:
    """How many tasks are in each state; a state without any is left out."""
    rows = session.execute(select(Task.state, func.count()).group_by(Task.state)).all()
    return {state: count for state, count in rows}  # noqa: C416  (dict() loses the row's types)


def put_back(session: Session, task_id: int) -> Task:
    """Try a task that was set aside again, with all its tries. Raises NotFound, Conflict."""
    task = _get_locked(session, task_id)
    if task.state is not TaskState.FAILED:
        message = "Only a task that was set aside can be tried again."
        raise Conflict(message)
    task.state = TaskState.WAITING
    task.attempts = 0
    task.run_at = task.rung_at = now(session)
    task.finished_at = None
    ring_after_commit(session, task.id, task.queue)
    return task


def cancel(session: Session, task_id: int) -> Task:
    """Take a task out that waits or was set aside. Raises NotFound, Conflict for one that runs or is over."""
    task = _get_locked(session, task_id)
    if task.state not in {TaskState.WAITING, TaskState.FAILED}:
        message = "A task that runs or is finished cannot be cancelled."
        raise Conflict(message)
    task.state = TaskState.CANCELLED
    task.finished_at = now(session)
    return task


def _get_locked(session: Session, task_id: int) -> Task:
    task = session.scalars(select(Task).where(Task.id == task_id).with_for_update()).one_or_none()
    if task is None:
        message = "There is no such task."
        raise NotFound(message)
    return task


def _in_state(session: Session, states: Sequence[TaskState], limit: int) -> Sequence[Task]:
    statement = select(Task).where(Task.state.in_(states)).order_by(Task.id.desc()).limit(limit)
    return session.scalars(statement).all()
