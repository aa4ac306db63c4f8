"""Run tasks: claim, call the handler under a heartbeat, and write down how it ended."""

from __future__ import annotations

import logging
import random
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.database import Database
from portal.core.queues import DEFAULT_QUEUE
from portal.core.settings import Settings
from portal.jobs import leases
from portal.jobs.doorbell import ring_after_commit
from portal.jobs.heartbeat import TIME_LIMIT_SECONDS, Overrun, beating, stop_this_process
from portal.jobs.job import LEASE_SECONDS, Handlers, Job, TaskError
from portal.jobs.model import TRIES, Task, TaskState

log = logging.getLogger(__name__)

LONGEST_BACKOFF_SECONDS = 300.0
LONGEST_ERROR = 4000
BATCH = 50

#: Called in the transaction that sets a task aside; tells the operators and whoever waits for it.
OnSetAside = Callable[[Session, Task], None]


def tell_nobody(session: Session, task: Task) -> None:
    """For a worker whose roof has nothing to say when a task is set aside."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What running tasks needs. `time_limit` is seconds one try may take before its worker is stopped."""

    db: Database
    settings: Settings
    handlers: Handlers
    on_set_aside: OnSetAside = tell_nobody
    lease_seconds: float = LEASE_SECONDS
    time_limit: float = TIME_LIMIT_SECONDS
    on_overrun: Overrun = stop_this_process


def run_due(
    workshop: Workshop, queue: str = DEFAULT_QUEUE, *, stop: Callable[[], bool] = lambda: False
) -> int:
    """Run what is due in this process until nothing is, and say how many tries were made."""
    tried = 0
    while not stop():
        with workshop.db.reading() as session:
            ids = leases.due_tasks(session, queue, BATCH)
        made = sum(run_task(workshop, task_id) for task_id in _until_stopped(ids, stop))
        tried += made
        if not made:
            break
    return tried


def run_task(workshop: Workshop, task_id: int) -> bool:
    """Try the task if it may be claimed now; says whether a try was made. Raises only what the database raises."""
    job = _claim(workshop, task_id)
    if job is None:
        return False
    try:
        with beating(workshop.db, job, workshop.time_limit, workshop.on_overrun):
            _handler(workshop, job.kind)(job)
        _finish(workshop, job)
        log.info("Task %s (%s) is done", job.id, job.kind)
    except leases.LostLease as lost:
        log.warning("%s; its present holder goes on with it", lost)
    except TaskError as error:
        log.warning("Task %s (%s), try %s: %s", job.id, job.kind, job.attempts, error.message)
        _fail(workshop, job, error.message, permanent=error.permanent)
    except Exception:  # whatever a handler raises, the queue goes on
        log.exception("Task %s (%s), try %s, failed", job.id, job.kind, job.attempts)
        _fail(workshop, job, traceback.format_exc()[-LONGEST_ERROR:], permanent=False)
    return True


def _claim(workshop: Workshop, task_id: int) -> Job | None:
    with workshop.db.transaction() as session:
        task = leases.find_due(session, task_id)
        if task is None:
            return None
        if task.attempts >= TRIES:
            # Its worker was killed in the last try as well: the task itself may be what kills.
            _set_aside(
                workshop, session, task, task.last_error or "Its worker was stopped in each of its tries."
            )
            _ring_next(session, task.subject)
            return None
        if not leases.claim(session, task, workshop.lease_seconds):
            return None
        return Job(
            id=task.id,
            kind=task.kind,
            payload=task.payload,
            subject=task.subject,
            fence=task.fence,
            attempts=task.attempts,
            db=workshop.db,
            clock=workshop.db.clock,
            settings=workshop.settings,
            lease_seconds=workshop.lease_seconds,
        )


def _handler(workshop: Workshop, kind: str) -> Callable[[Job], None]:
    try:
        return workshop.handlers[kind]
    except KeyError:
        message = f"No handler is registered for tasks of the kind {kind!r}."
        raise TaskError(message, permanent=True) from None


def _finish(workshop: Workshop, job: Job) -> None:
    with workshop.db.transaction() as session:
        if not leases.finish(session, job.id, job.fence):
            task = session.get_one(Task, job.id)
            if task.state is not TaskState.DONE or task.fence != job.fence:
                message = f"Task {job.id} ended after its lease was lost"
                raise leases.LostLease(message)
        _ring_next(session, job.subject)


def _fail(workshop: Workshop, job: Job, reason: str, *, permanent: bool) -> None:
    with workshop.db.transaction() as session:
        statement = select(Task).where(Task.id == job.id, Task.fence == job.fence).with_for_update()
        task = session.scalars(statement).one_or_none()
        if task is None or task.state is not TaskState.RUNNING:
            log.warning("Task %s failed after its lease was lost; its present holder goes on with it", job.id)
            return
        if permanent or task.attempts >= TRIES:
            _set_aside(workshop, session, task, reason)
        else:
            task.state = TaskState.WAITING
            task.run_at = now(session) + backoff(task.attempts)
            task.lease_until = None
            task.rung_at = None
            task.last_error = reason
        _ring_next(session, job.subject)


def backoff(attempts: int) -> timedelta:
    """How long to wait after this many tries: 2, 4, 8 … seconds, at most 300, each a fifth more or less."""
    seconds = min(LONGEST_BACKOFF_SECONDS, 2.0**attempts)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  (spreads load, guards nothing)


def _set_aside(workshop: Workshop, session: Session, task: Task, reason: str) -> None:
    task.state = TaskState.FAILED
    task.finished_at = now(session)
    task.lease_until = None
    task.last_error = reason
    log.error("Task %s (%s) is set aside after %s tries", task.id, task.kind, task.attempts)
    try:
        with session.begin_nested():
            workshop.on_set_aside(session, task)
    except Exception:
        # The task must leave the queue even when nobody can be told, or it would be tried for ever.
        log.exception("Nobody could be told that task %s is set aside", task.id)


def _ring_next(session: Session, subject: str | None) -> None:
    """A task that found its subject busy waits for this ring."""
    if subject is None:
        return
    statement = (
        select(Task.id, Task.queue)
        .where(Task.subject == subject, Task.state == TaskState.WAITING, Task.run_at <= now(session))
        .order_by(Task.run_at, Task.id)
        .limit(1)
    )
    if following := session.execute(statement).first():
        ring_after_commit(session, following.id, following.queue)


def _until_stopped(ids: Iterable[int], stop: Callable[[], bool]) -> Iterable[int]:
    for task_id in ids:
        if stop():
            return
        yield task_id
