"""The `task` table: the truth about background work. Redis only rings; it may be emptied at any time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key

#: Tries before a task is set aside for the operators.
TRIES = 5


class TaskState(StrEnum):
    """Where a task is. `failed` is set aside: nothing more happens until an operator puts it back."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Task(Base):
    """One unit of background work.

    `fence` grows with each claim, so that a holder who lost the lease is known by its smaller number.
    `rung_at` is when the doorbell was last rung for it; `dedupe_key` makes a second enqueue of the same
    work return the first.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_state_run_at", "state", "run_at"),
        Index("ix_task_subject", "subject"),
        # Two tasks of one subject never run at once: the database itself refuses the second.
        Index(
            "uq_task_running_subject",
            "subject",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]]
    queue: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[TaskState] = mapped_column(EnumByValue(TaskState))
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    rung_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)


class Attendance(Base):
    """When a worker of this queue was last there; what waits on a queue without one is told to the operators."""

    __tablename__ = "queue_attendance"

    queue: Mapped[str] = mapped_column(String(40), primary_key=True)
    seen_at: Mapped[datetime]
