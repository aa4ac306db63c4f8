"""What a handler is given: the task's content, and transactions that only its rightful holder may commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from portal.core.clock import Clock
from portal.core.database import Database
from portal.core.settings import Settings
from portal.jobs import leases

#: Seconds a claim holds without being renewed; a killed worker's task goes on after this.
LEASE_SECONDS = 30.0


class TaskError(Exception):
    """The task could not be done. `permanent` says that trying again cannot help; else it is tried again.

    The message is a sentence for the operators.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Job:
    """One try at one task. `attempts` counts this one. The lease is renewed while the handler runs."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    subject: str | None
    fence: int
    attempts: int
    db: Database
    clock: Clock
    settings: Settings
    lease_seconds: float = LEASE_SECONDS
    #: When the handler last said that it goes on, by the monotonic clock.
    _signs: list[float] = field(default_factory=lambda: [time.monotonic()], repr=False, compare=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work, refused unless the lease is still ours. Raises LostLease.

        Calls to the outside belong between transactions, never in one.
        """
        with self.db.transaction() as session:
            leases.insist(session, self.id, self.fence)
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading only."""
        with self.db.reading() as session:
            yield session

    @property
    def went_on_at(self) -> float:
        """When the try began or its handler last came on, by the monotonic clock."""
        return self._signs[0]

    def goes_on(self) -> None:
        """A part of long work is done: from here on counts how long the next may take."""
        self._signs[0] = time.monotonic()

    def extend_lease(self, seconds: float | None = None) -> None:
        """Hold the task for `seconds` from now, before a call known to be long. Raises LostLease."""
        with self.db.transaction() as session:
            if not leases.extend(session, self.id, self.fence, seconds or self.lease_seconds):
                message = f"Task {self.id} is no longer held with fence {self.fence}"
                raise leases.LostLease(message)

    def finish(self, session: Session) -> None:
        """Mark the task done in the handler's own transaction, together with its last effect.

        A handler that returns without this is marked done by the runner. Raises LostLease.
        """
        if not leases.finish(session, self.id, self.fence):
            message = f"Task {self.id} is no longer held with fence {self.fence}"
            raise leases.LostLease(message)


#: Carries out one kind of task. It may run again after any of its steps, so each step must be idempotent.
Handler = Callable[[Job], None]
Handlers = Mapping[str, Handler]
