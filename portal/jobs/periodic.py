"""Work that comes round: one task per period, however many schedulers run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.database import Database
from portal.core.queues import DEFAULT_QUEUE
from portal.jobs.enqueue import enqueue
from portal.jobs.model import Task, TaskState

#: How long the task of a round that went well is kept.
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task of this kind every so often, counted from the epoch in UTC."""

    name: str
    every: timedelta
    kind: str
    queue: str = DEFAULT_QUEUE
    payload: Mapping[str, Any] = field(default_factory=dict)


def enqueue_periodic(db: Database, table: Iterable[Periodic]) -> int:
    """Add the task of each period that has begun, unless the one before it is still open; says how many."""
    added = 0
    for entry in table:
        subject = f"periodic:{entry.name}"
        with db.reading() as session:
            slot = int(now(session).timestamp() // entry.every.total_seconds())
            key = f"{subject}:{slot}"
            if session.scalars(select(Task.id).where(Task.dedupe_key == key)).first() is not None:
                continue
            still_open = select(Task.id).where(
                Task.subject == subject, Task.state.in_([TaskState.WAITING, TaskState.RUNNING])
            )
            # After a pause one round is enough, not one for each period missed.
            if session.scalars(still_open).first() is not None:
                continue
        with db.transaction() as session:
            enqueue(session, entry.kind, entry.payload, queue=entry.queue, subject=subject, dedupe_key=key)
            _forget_rounds(session, subject)
        added += 1
    return added


def _forget_rounds(session: Session, subject: str) -> None:
    """Rounds without an event say nothing after a while; of those that failed the last tells the operators enough."""
    last_failed = (
        select(func.max(Task.id))
        .where(Task.subject == subject, Task.state == TaskState.FAILED)
        .scalar_subquery()
    )
    over = and_(Task.state == TaskState.DONE, Task.finished_at < now(session) - KEPT)
    failed_before = and_(Task.state == TaskState.FAILED, Task.id < last_failed)
    session.execute(
        delete(Task)
        .where(Task.subject == subject, or_(over, failed_before))
        .execution_options(synchronize_session=False)
    )
