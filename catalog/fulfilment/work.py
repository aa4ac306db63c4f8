"""What one run of a fulfilment carries: the job, the connectors, and the boundaries where it may be cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import Connector, ConnectorError, ConnectorPending
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.following import set_off, steps_of
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.orders import latest_attempt
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, hand_baton, subject_of
from portal.audit import record
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError

#: Called wherever a worker may die; tests let it die there.
OnBoundary = Callable[[str], None]


class HandedOver(Exception):
    """People have the step in hand; this run ends well, and their last word begins the next one."""


def go_on(_boundary: str) -> None:
    """Nothing happens at a boundary."""


@dataclass(frozen=True, slots=True)
class Work:
    """One try at a task of one attempt at one revision of a request."""

    job: Job
    connectors: Connectors
    boundary: OnBoundary = go_on

    @property
    def request_id(self) -> int:
        """The request that is fulfilled."""
        return int(self.job.payload["request_id"])

    @property
    def revision(self) -> int:
        """The revision that was approved."""
        return int(self.job.payload["revision"])

    @property
    def attempt(self) -> int:
        """Which attempt at that revision this is."""
        return int(self.job.payload["attempt"])

    @property
    def because(self) -> str:
        """What this try's cause is called in what it sets off; the same when the task runs again."""
        return f"task:{self.job.id}"

    def connector(self, step: Step) -> Connector:
        """The step's connector. Raises ConnectorError."""
        return self.connectors.get(step.connector)

    def steps(self, session: Session) -> Sequence[Step]:
        """This attempt's steps, in order, as they are in the database now."""
        return steps_of(session, self.request_id, self.revision, self.attempt)

    def step(self, session: Session) -> Step:
        """The step that a task of one step is about."""
        return self.steps(session)[int(self.job.payload["position"]) - 1]

    def is_current(self, session: Session, request: Request) -> bool:
        """Whether this attempt at this revision is the one that counts."""
        return request.revision == self.revision and latest_attempt(session, request) == self.attempt

    def set_off(self, session: Session, request: Request) -> None:
        """Enqueue what follows and end this task, with what the caller has written down."""
        session.flush()
        set_off(session, request, self.steps(session), because=self.because)
        self.job.finish(session)


def hand_over(work: Work, step: Step, pending: ConnectorPending, *, undoing: bool = False) -> HandedOver:
    """Write down that people must act, give them the baton, and end the task; raise what this gives.

    If they were done before this was written, their own task waits for this one to end and then goes on.
    """
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = session.get_one(Step, step.id)
        if not undoing:
            row.state = StepState.WAITING_FOR_PEOPLE
        hand_baton(session, request, pending.waits_for)
        # A run that only found that people are still at it tells nothing new.
        if undoing or step.state is not StepState.WAITING_FOR_PEOPLE:
            record(
                session,
                tags.STEP_HANDED_OVER,
                subject=subject_of(request),
                actor=PORTAL,
                facts={"step": row.position, "key": row.key, "undoing": undoing},
            )
        work.job.finish(session)
    work.boundary(f"step {step.position}: handed over")
    return HandedOver()


def try_again(error: ConnectorError) -> TaskError:
    """What a target's passing trouble means to the task."""
    return TaskError(error.message)
