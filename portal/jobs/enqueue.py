"""Enqueue: the task's row commits with what caused it, and only then is the doorbell rung."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.queues import DEFAULT_QUEUE
from portal.jobs.doorbell import ring_after_commit
from portal.jobs.model import Task, TaskState

#: How far a task that goes first stands before those that came when it did.
HEAD_START = timedelta(hours=1)


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    queue: str = DEFAULT_QUEUE,
    subject: str | None = None,
    dedupe_key: str | None = None,
    first: bool = False,
) -> Task:
    """Add a task in the caller's transaction; it runs after the commit, at `run_at` (aware) or at once.

    Tasks of one `subject` (such as `request:123`) never run at the same time. With a `dedupe_key` that is
    already there, whatever became of it, that task is returned and nothing is added. With `first`, one that is due at
    once goes before what waits already.
    """
    if dedupe_key is not None and (known := _find_by_key(session, dedupe_key)):
        return known
    at = now(session)
    due = run_at is None or run_at <= at
    if due and first:
        # The queue goes by time: it counts as if it had waited so long already.
        run_at = at - HEAD_START
    task = Task(
        kind=kind,
        payload=dict(payload),
        queue=queue,
        subject=subject,
        state=TaskState.WAITING,
        run_at=run_at or at,
        attempts=0,
        fence=0,
        rung_at=at if due else None,
        created_at=at,
        dedupe_key=dedupe_key,
    )
    try:
        # A savepoint, so that losing the race for the key leaves the caller's work as it is.
        with session.begin_nested():
            session.add(task)
    except IntegrityError:
        if dedupe_key is not None and (known := _find_by_key(session, dedupe_key)):
            return known
        raise
    if due:
        ring_after_commit(session, task.id, queue, first=first)
    return task


def _find_by_key(session: Session, dedupe_key: str) -> Task | None:
    return session.scalars(select(Task).where(Task.dedupe_key == dedupe_key)).one_or_none()
