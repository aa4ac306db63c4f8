"""A portal whose clock is moved: what the seeded year lives in."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from portal.audit.signing import keep_signed
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.jobs import Handlers, Job, Task, leases
from portal.jobs.model import TaskState
from portal.wiring import Portal, job_handlers

BEGIN = datetime(2025, 10, 1, 6, tzinfo=UTC)
MFA = "urn:countersign:acr:mfa"


@dataclass
class MovedClock:
    """The portal's time."""

    time: datetime = BEGIN

    def __call__(self) -> datetime:
        """What the portal takes for now."""
        return self.time


@dataclass
class Year:
    """A portal in the middle of its year."""

    portal: Portal
    clock: MovedClock
    draw: random.Random
    #: What comes, by time: (when, order, what, number).
    ahead: list[tuple[datetime, int, str, int]] = field(default_factory=list)
    people: dict[int, Person] = field(default_factory=dict)
    roles: dict[int, frozenset[str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    order: int = 0
    handlers: Handlers = field(init=False)

    def __post_init__(self) -> None:
        """What each task runs."""
        self.handlers = job_handlers(self.portal)

    def later(self, what: str, number: int, **delay: float) -> None:
        """Have this happen so much later."""
        self.order += 1
        heapq.heappush(self.ahead, (self.clock.time + timedelta(**delay), self.order, what, number))

    def chance(self, share: float) -> bool:
        """Whether something happens that does in this share of cases."""
        return self.draw.random() < share

    def named(self, user_name: str) -> Actor:
        """The person of this name, who has just signed in."""
        return self.actor(next(number for number, one in self.people.items() if one.user_name == user_name))

    def actor(self, person_id: int) -> Actor:
        """The person, who has just signed in with a second factor."""
        person = self.people[person_id]
        return Actor(
            name=person.name,
            person_id=person.id,
            issuer=person.issuer,
            subject=person.subject,
            unit_id=person.unit_id,
            roles=self.roles.get(person.id, frozenset()) | {"person"},
            auth_time=self.clock(),
            acr=MFA,
            amr=("pwd", "otp"),
        )

    def work(self) -> None:
        """Do what is due, but for mails, which nobody reads; then sign what was written."""
        while tasks := self._due():
            for task in tasks:
                self._do(task)
        keep_signed(self.portal.db, self.portal.signer)

    def _due(self) -> list[Task]:
        with self.portal.db.transaction() as session:
            session.execute(
                update(Task)
                .where(Task.kind == "send_mail", Task.state == TaskState.WAITING)
                .values(state=TaskState.DONE, finished_at=self.clock())
                .execution_options(synchronize_session=False)
            )
            statement = select(Task).where(Task.state == TaskState.WAITING, Task.run_at <= self.clock())
            return list(session.scalars(statement.order_by(Task.run_at, Task.id)))

    def _do(self, task: Task) -> None:
        """As the worker does, but with no heartbeat: nobody else is at work, so no lease is ever lost."""
        with self.portal.db.transaction() as session:
            claimed = leases.changed_one(
                session,
                update(Task)
                .where(Task.id == task.id, Task.state == TaskState.WAITING)
                .values(
                    state=TaskState.RUNNING,
                    fence=Task.fence + 1,
                    attempts=Task.attempts + 1,
                    lease_until=leases.database_now(session) + leases.LONGEST_LEASE,
                )
                .execution_options(synchronize_session=False),
            )
        if not claimed:
            return
        job = Job(
            id=task.id,
            kind=task.kind,
            payload=task.payload,
            subject=task.subject,
            fence=task.fence + 1,
            attempts=task.attempts + 1,
            db=self.portal.db,
            clock=self.clock,
            settings=self.portal.settings,
        )
        self.handlers[task.kind](job)
        with self.portal.db.transaction() as session:
            leases.finish(session, task.id, task.fence + 1)
