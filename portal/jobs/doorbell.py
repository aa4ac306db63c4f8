"""The doorbell: tells a worker that a task waits, by the task's number and nothing else.

A ring may be lost, doubled or forged without harm: the table decides what runs, and the sweep rings again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any, Protocol

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from portal.core.database import Database, after_commit

log = logging.getLogger(__name__)

#: What a ring asks for. It names nothing that can be imported, so a stock RQ worker can run nothing by it.
RING = "countersign:task"
#: Seconds a ring is kept, and that Redis is left alone after it failed to answer.
RING_LIFETIME = 3600
QUIET_AFTER_FAILURE = 5.0
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 2.0


class Doorbell(Protocol):
    """Rings for tasks. Never raises: who enqueues has committed already."""

    def ring(self, task_ids: Iterable[int], queue: str, *, first: bool = False) -> None:
        """Tell the queue's workers that these tasks are due; with `first`, before whatever they have not heard yet."""
        ...

    def pending(self, queue: str) -> int | None:
        """How many rings wait to be heard; None when nobody can say."""
        ...


class NoDoorbell:
    """Where there is no Redis; workers look at the table themselves."""

    def ring(self, task_ids: Iterable[int], queue: str, *, first: bool = False) -> None:
        """Nobody to ring for."""

    def pending(self, queue: str) -> int | None:
        """Nobody can say."""
        return None


class RedisDoorbell:
    """Rings through an RQ queue."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._quiet_until = 0.0

    def ring(self, task_ids: Iterable[int], queue: str, *, first: bool = False) -> None:
        """Push one RQ job per task. A failure is logged, and Redis is left alone for some seconds."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            bell = Queue(queue, connection=self._redis, serializer=JSONSerializer)
            with self._redis.pipeline(transaction=False) as pipeline:
                for task_id in task_ids:
                    bell.enqueue_call(
                        RING,
                        args=(task_id,),
                        ttl=RING_LIFETIME,
                        result_ttl=0,
                        failure_ttl=60,
                        description=f"task {task_id}",
                        at_front=first,
                        pipeline=pipeline,
                    )
                pipeline.execute()
        except (RedisError, OSError) as error:
            self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
            log.warning("The doorbell could not be rung, the sweep will: %s", error)

    def pending(self, queue: str) -> int | None:
        """The length of the RQ queue."""
        try:
            return self._redis.llen(f"rq:queue:{queue}")
        except (RedisError, OSError):
            return None


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """A Redis client that gives up soon, because nothing depends on it.

    `url` is redis://, rediss:// or unix://. Connects lazily.
    """
    kwargs: dict[str, Any] = {"socket_timeout": answer_seconds, "retry": Retry(NoBackoff(), 0)}
    if not url.startswith("unix:"):
        kwargs["socket_connect_timeout"] = CONNECT_SECONDS
    return Redis.from_url(url, **kwargs)


def hang(database: Database, redis_url: str | None) -> Doorbell:
    """Give the database's sessions a doorbell; without a Redis URL one that rings nowhere."""
    bell: Doorbell = RedisDoorbell(redis_url) if redis_url else NoDoorbell()
    database.info["doorbell"] = bell
    return bell


def ring_after_commit(session: Session, task_id: int, queue: str, *, first: bool = False) -> None:
    """Ring for the task once this transaction is durable."""
    bell: Doorbell | None = session.info.get("doorbell")
    if bell is not None:
        after_commit(session, lambda: bell.ring((task_id,), queue, first=first))
