"""The two loops that never end: a worker's, which runs tasks, and a scheduler's, which rings for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from portal.core.database import Database
from portal.core.queues import DEFAULT_QUEUE
from portal.jobs.attendance import SIGN_SECONDS, sign
from portal.jobs.doorbell import Doorbell, connect
from portal.jobs.periodic import Periodic, enqueue_periodic
from portal.jobs.ring import RingWorker
from portal.jobs.runner import Workshop, run_due, run_task
from portal.jobs.sweep import SWEEP_SECONDS, sweep

log = logging.getLogger(__name__)

#: A worker that hears the doorbell still looks at the table this often, in case ring and scheduler are lost.
LOOK_SECONDS = 10.0
#: One that hears none looks this often, and tries Redis again after so long.
POLL_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 5.0
PERIODIC_SECONDS = 5.0

Stop = Callable[[], bool]


def work(workshop: Workshop, redis_url: str | None, *, stop: Stop, queue: str = DEFAULT_QUEUE) -> None:
    """Run the queue's tasks until told to stop: when rung for, or by looking while there is no Redis."""
    look = _every(LOOK_SECONDS, lambda: run_due(workshop, queue, stop=stop))
    here = _every(SIGN_SECONDS, lambda: sign(workshop.db, queue))

    def between() -> None:
        here()
        look()

    while not stop():
        if redis_url:
            try:
                with connect(redis_url) as redis:
                    worker = RingWorker(queue, redis, lambda task_id: run_task(workshop, task_id))
                    log.info("Listening for the doorbell")
                    worker.listen(stop=stop, between=between)
            except (RedisError, OSError) as error:
                log.warning("No doorbell, looking at the table instead: %s", error)
        again = time.monotonic() + REDIS_AGAIN_SECONDS
        while not stop() and time.monotonic() < again:
            here()
            _survive(lambda: run_due(workshop, queue, stop=stop))
            time.sleep(POLL_SECONDS)


def keep_time(db: Database, doorbell: Doorbell, table: Iterable[Periodic], *, stop: Stop) -> None:
    """Ring for what is due and begin what comes round, until told to stop."""
    entries = tuple(table)
    rounds = _every(PERIODIC_SECONDS, lambda: enqueue_periodic(db, entries))
    while not stop():
        rounds()
        _survive(lambda: sweep(db, doorbell))
        time.sleep(SWEEP_SECONDS)


def _every(seconds: float, action: Callable[[], object]) -> Callable[[], None]:
    """The action, done at most once in so many seconds however often it is called; the first call does it."""
    due = time.monotonic()

    def act() -> None:
        nonlocal due
        if time.monotonic() >= due:
            _survive(action)
            due = time.monotonic() + seconds

    return act


def _survive(action: Callable[[], object]) -> None:
    """A database that is away comes back; the loop waits for it."""
    try:
        action()
    except SQLAlchemyError as error:
        log.warning("The database does not answer, trying again: %s", error)
        time.sleep(1.0)
