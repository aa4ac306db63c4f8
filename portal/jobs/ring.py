"""The worker's side of the doorbell: an RQ worker that can do one thing, run a task by its number.

RQ runs whatever function a job in Redis names, its callbacks and its webhooks too, with the JSON serializer as
well. Whoever can write to Redis could so run code here. Hence this job class takes nothing from Redis but the
bytes that should name a task, and looks up no function by name.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty
from rq.utils import now
from rq.worker_registration import clean_worker_registry

from portal.jobs.doorbell import RING

log = logging.getLogger(__name__)

WORKER_TTL_SECONDS = 30
MAINTENANCE_SECONDS = 15
#: How long one wait for a ring lasts; a signal to stop is heard when it ends.
WAIT_SECONDS = 1
HEARTBEAT_SECONDS = 10.0
SILENCE_SECONDS = 5
LONGEST_RING_BYTES = 1000
LARGEST_TASK_ID = 2**63 - 1


class RefusedRing(Exception):
    """What lay in Redis is not a ring: it names a function, or something other than one task."""


class RingJob(Job):
    """A ring as RQ sees it. Nothing that was written to Redis decides what runs, or what happens after."""

    run: Callable[[int], Any] | None = None

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Take the call's bytes and leave the rest: callbacks, webhooks, retries, dependants, time-outs."""
        self.data = _inflate(bytes(raw_data.get(b"data") or b""))
        self.created_at = self.enqueued_at = None  # type: ignore[assignment]  # RQ writes its own
        started = raw_data.get(b"status") == b"started"
        self._status = JobStatus.STARTED if started else JobStatus.QUEUED
        self.description = "ring"
        self.result_ttl = 0
        self.failure_ttl = 60
        self.timeout = -1

    def task_id(self) -> int:
        """The number of the task that is rung for. Raises RefusedRing for anything else."""
        try:
            name, instance, args, kwargs = json.loads(self.data)
        except (ValueError, TypeError, RecursionError) as error:
            raise RefusedRing("it is not a call in JSON") from error
        if name != RING or instance is not None or kwargs != {}:
            raise RefusedRing("it asks for something else than a task")
        if not isinstance(args, list) or len(args) != 1 or type(args[0]) is not int:
            raise RefusedRing("it does not name one task by its number")
        if not 0 < args[0] <= LARGEST_TASK_ID:
            raise RefusedRing("it names a number that no task can have")
        return args[0]

    def perform(self) -> None:
        """Run the task; `func`, which would import what the job names, is never asked."""
        task_id = self.task_id()
        if self.run is not None:
            self.run(task_id)


class NoAlarm(BaseDeathPenalty):
    """RQ's time limit raises wherever the handler happens to be; ours is in portal.jobs.heartbeat."""

    def setup_death_penalty(self) -> None:
        """Set no alarm."""

    def cancel_death_penalty(self) -> None:
        """There is none."""


class RingWorker(SimpleWorker):
    """An RQ worker in one process that listens on one queue and runs tasks in its main thread.

    In one process, because the truth is in the table: a killed process costs its lease and nothing else, and a
    task takes 4 ms to start, not 12. With one queue, because RQ then moves a job aside atomically.
    """

    job_class = RingJob
    death_penalty_class = NoAlarm

    def __init__(self, queue: str, connection: Redis, run: Callable[[int], Any]) -> None:
        self._run_task = run
        super().__init__(
            [Queue(queue, connection=connection, serializer=JSONSerializer, job_class=RingJob)],
            name=uuid.uuid4().hex,
            connection=connection,
            job_class=RingJob,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
            log_job_description=False,
        )
        self._next_heartbeat = 0.0

    @property
    def connection_timeout(self) -> int:
        """Seconds after which a Redis that says nothing counts as gone."""
        return WAIT_SECONDS + SILENCE_SECONDS

    def listen(self, *, stop: Callable[[], bool], between: Callable[[], Any]) -> None:
        """Answer rings until `stop` says so; `between` is called after each ring or second of quiet.

        Raises redis.exceptions.RedisError when Redis goes.
        """
        self.register_birth()  # type: ignore[no-untyped-call]  # RQ is typed in part
        try:
            while not stop():
                self._keep_alive()
                self._answer_one()
                between()
        finally:
            self._leave()

    def _keep_alive(self) -> None:
        if time.monotonic() >= self._next_heartbeat:
            self.heartbeat()
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()

    def _answer_one(self) -> None:
        try:
            found = Queue.dequeue_any(
                self.queues, WAIT_SECONDS, self.connection, job_class=RingJob, serializer=JSONSerializer
            )
        except DequeueTimeout:
            return
        except ValueError as error:
            log.warning("What lies in Redis is not even a job's name: %s", error)
            self._forget_taken()
            return
        if found is None:
            return
        job, queue = cast("tuple[RingJob, Queue]", found)
        try:
            job.task_id()
        except RefusedRing as refusal:
            log.warning("A job in Redis is refused, %s: %s", refusal, job.id)
            queue.intermediate_queue.remove(job.id)
            self.connection.delete(job.key)
            return
        job.run = self._run_task
        self.execute_job(job, queue)

    def run_maintenance_tasks(self) -> None:
        """Clear away what killed workers left. The rest of RQ's rounds reads jobs by classes that trust Redis."""
        parts: dict[str, Any] = {"job_class": RingJob, "serializer": JSONSerializer}
        for queue in self.queues:
            try:
                StartedJobRegistry(queue.name, self.connection, **parts).cleanup()
                FailedJobRegistry(queue.name, self.connection, **parts).cleanup()
                clean_worker_registry(queue)
            except ValueError as error:
                log.warning("RQ's registers in Redis cannot be read: %s", error)
        self._forget_taken()
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares no type for it

    def _forget_taken(self) -> None:
        """Drop the list of jobs taken and not begun: what they rang for waits in the table."""
        self.connection.delete(*(queue.intermediate_queue.key for queue in self.queues))

    def _leave(self) -> None:
        try:
            self.register_death()  # type: ignore[no-untyped-call]  # RQ is typed in part
        except RedisError:
            log.info("Redis is gone; the worker could not say good-bye")


def _inflate(packed: bytes) -> bytes:
    """At most what a ring can be: a small file that unpacks to gigabytes is cut off and so refused."""
    unpacker = zlib.decompressobj()
    try:
        return unpacker.decompress(packed, LONGEST_RING_BYTES)
    except zlib.error:
        return packed[:LONGEST_RING_BYTES]
