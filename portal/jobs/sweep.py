"""The sweep: rings again for every task that is due and was not heard. It changes no task's state."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import or_, select, update

from portal.core.clock import now
from portal.core.database import Database
from portal.jobs import leases
from portal.jobs.doorbell import Doorbell
from portal.jobs.model import Task

#: Seconds between sweeps, at most.
SWEEP_SECONDS = 1.0
#: A ring not heard for this long is repeated: sooner when the doorbell is empty, for then it was lost.
REPEAT_WHEN_EMPTY = timedelta(seconds=10)
REPEAT_WHEN_BUSY = timedelta(seconds=30)
BATCH = 1000


def sweep(db: Database, doorbell: Doorbell) -> int:
    """Ring for tasks that are due, abandoned or unheard, the longest due first; says for how many."""
    with db.reading() as session:
        at = now(session)
        # A holder who is gone was rung for, but before its lease ran out.
        unheard = or_(Task.rung_at.is_(None), Task.rung_at <= Task.lease_until)
        statement = (
            select(Task.id, Task.queue, Task.rung_at, unheard)
            .where(leases.due(session), or_(unheard, Task.rung_at <= at - REPEAT_WHEN_EMPTY))
            .order_by(Task.run_at, Task.id)
            .limit(BATCH)
        )
        rows = session.execute(statement).all()
    by_queue: dict[str, list[int]] = defaultdict(list)
    busy: dict[str, bool] = {}
    for task_id, queue, rung_at, first in rows:
        if queue not in busy:
            busy[queue] = bool(doorbell.pending(queue))
        if first or rung_at is None or not busy[queue] or rung_at <= at - REPEAT_WHEN_BUSY:
            by_queue[queue].append(task_id)
    for queue, ids in by_queue.items():
        with db.transaction() as session:
            session.execute(update(Task).where(Task.id.in_(ids)).values(rung_at=at))
        doorbell.ring(ids, queue)
    return sum(len(ids) for ids in by_queue.values())
