"""The heartbeat: renews a running task's lease, and stops a worker whose handler runs too long.

A thread, because the handler may be anywhere: in a slow socket, in a C library. A handler that hangs cannot be
ended from within its process with any certainty, so the process ends; whoever supervises it starts it again,
and the task goes on elsewhere when its lease is over. Five such ends set the task aside.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from portal.core.database import Database
from portal.jobs import leases
from portal.jobs.job import Job
from portal.jobs.model import Task, TaskState

log = logging.getLogger(__name__)

#: Seconds that one try at a task may take, or each part of one that says when it goes on.
TIME_LIMIT_SECONDS = 300.0
BEATS_PER_LEASE = 3

Overrun = Callable[[], None]


def stop_this_process() -> None:
    """End the process now, without unwinding what hangs (sysexits.h: EX_TEMPFAIL)."""
    logging.shutdown()
    os._exit(os.EX_TEMPFAIL)


@contextmanager
def beating(db: Database, job: Job, time_limit: float, on_overrun: Overrun) -> Iterator[None]:
    """Renew the job's lease while the block runs; call `on_overrun` when nothing goes on for `time_limit` seconds."""
    ended = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(db, job, time_limit, on_overrun, ended), name=f"heartbeat-{job.id}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(db: Database, job: Job, time_limit: float, on_overrun: Overrun, ended: threading.Event) -> None:
    pause = job.lease_seconds / BEATS_PER_LEASE
    while not ended.wait(min(pause, max(0.0, job.went_on_at + time_limit - time.monotonic()))):
        deadline = job.went_on_at + time_limit
        try:
            if time.monotonic() >= deadline:
                log.error("Task %s (%s) ran over %.0f s; its worker stops", job.id, job.kind, time_limit)
                _note_overrun(db, job, time_limit)
                on_overrun()
                return
            with db.transaction() as session:
                leases.wait_briefly(session)
                if not leases.extend(session, job.id, job.fence, job.lease_seconds):
                    return  # lost: the handler's next transaction says so
        except SQLAlchemyError as error:
            log.warning("The lease of task %s could not be renewed: %s", job.id, error)
            if time.monotonic() >= deadline:
                on_overrun()
                return


def _note_overrun(db: Database, job: Job, time_limit: float) -> None:
    reason = f"It ran longer than {time_limit:.0f} seconds and its worker was stopped."
    with db.transaction() as session:
        leases.wait_briefly(session)
        session.execute(
            update(Task)
            .where(Task.id == job.id, Task.fence == job.fence, Task.state == TaskState.RUNNING)
            .values(last_error=reason, lease_until=leases.database_now(session))
        )
