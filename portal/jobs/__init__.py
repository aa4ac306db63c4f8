"""Background work: tasks in a table, rung by Redis, held by leases, tried again, set aside."""

from portal.core.queues import DEFAULT_QUEUE
from portal.jobs.enqueue import enqueue
from portal.jobs.job import Handler, Handlers, Job, TaskError
from portal.jobs.leases import LostLease
from portal.jobs.model import Task, TaskState
from portal.jobs.periodic import Periodic
from portal.jobs.runner import OnSetAside, Workshop, run_due, run_task

__all__ = [
    "DEFAULT_QUEUE",
    "Handler",
    "Handlers",
    "Job",
    "LostLease",
    "OnSetAside",
    "Periodic",
    "Task",
    "TaskError",
    "TaskState",
    "Workshop",
    "enqueue",
    "run_due",
    "run_task",
]
