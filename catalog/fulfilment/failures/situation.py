"""Where a fulfilment that does not get on stands, and so what an operator may do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.extending.orders import EXTEND
from catalog.entitlements.extending.orders import KIND as RECORD
from catalog.fulfilment.carrying import ALREADY_TRUE
from catalog.fulfilment.following import DO_STEP, TO_UNDO, UNDO_STEP
from catalog.fulfilment.model import ByHand, ByHandState, Step, StepState
from catalog.fulfilment.orders import FULFIL
from catalog.reconciliation.connector import KIND as FINDINGS
from catalog.reconciliation.sealed import ADOPT
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, task_subject
from catalog.requests.queries import find_id
from catalog.requests.states import State
from portal.core.canonical import digest
from portal.core.errors import Conflict, NotFound
from portal.core.language import N_, _
from portal.jobs import Task, TaskState

CHANGED = N_(
    "A colleague has acted on this request meanwhile, or it went on by itself. Nothing was done. "
    "Look at where it stands now."
)
_THERE = frozenset({*TO_UNDO, StepState.NOT_REVERTED})
#: Nothing is done on a target by these: a later end, and that something is allowed, stand in the record or nowhere.
_IN_THE_RECORD = frozenset({(RECORD, EXTEND), (FINDINGS, ADOPT)})


@dataclass(frozen=True, slots=True)
class Situation:
    """A request with the steps of its last attempt, what earlier ones left, its task that was set aside, and a claim."""

    request: Request
    steps: Sequence[Step]
    earlier: Sequence[Step]
    task: Task | None
    claim: ByHand | None

    @property
    def seen(self) -> str:
        """What a page was made from: whoever acts on another situation than they saw is told."""
        return digest(
            {
                "state": self.request.state.value,
                "steps": [[step.id, step.state.value] for step in (*self.earlier, *self.steps)],
                "task": self.task.id if self.task else 0,
                "claim": self.claim.id if self.claim else 0,
            }
        )[-16:]

    @property
    def left(self) -> list[Step]:
        """What is on a target because of this request, the first done first."""
        every = [step for step in (*self.earlier, *self.steps) if step.state in _THERE]
        return [step for step in every if step.outcome.get("found") != ALREADY_TRUE]

    @property
    def needs_somebody(self) -> bool:
        """Whether it does not go on by itself."""
        return self.request.state is State.FAILED or self.task is not None

    @property
    def may_retry(self) -> bool:
        """Whether it may be tried again."""
        return self.claim is None and (self.failed or self.task is not None)

    @property
    def may_undo(self) -> bool:
        """Whether what is there may be taken back; a fulfilment that does not get on is given up by it."""
        if self.claim is not None:
            return False
        return (self.failed and bool(self.left)) or self._stuck(DO_STEP)

    def may_be_done_by_hand(self, step: Step) -> bool:
        """Whether an operator may say that they did the step by hand. What is in our own record alone is done there."""
        if (step.connector, step.plan["action"]) in _IN_THE_RECORD:
            return False
        if self.failed:
            return step in self.steps and step.state is StepState.FAILED
        return self._stuck(DO_STEP, step) and step.state is not StepState.DONE

    def may_be_undone_by_hand(self, step: Step) -> bool:
        """Whether an operator may say that they undid the step by hand."""
        if self.failed:
            return step.state is StepState.NOT_REVERTED
        return self._stuck(UNDO_STEP, step) and step.state is StepState.UNDOING

    @property
    def failed(self) -> bool:
        """Whether it failed, and nothing of it is just being undone."""
        undoing = any(step.state is StepState.UNDOING for step in (*self.earlier, *self.steps))
        return self.request.state is State.FAILED and not undoing

    def _stuck(self, kind: str, step: Step | None = None) -> bool:
        """Whether the task of this kind, of this step if one is named, was set aside."""
        task = self.task
        if task is None or task.kind != kind:
            return False
        if step is None:
            return kind != DO_STEP or self.request.state is State.FULFILLING
        return (step.revision, step.attempt, step.position) == tuple(
            task.payload[part] for part in ("revision", "attempt", "position")
        )


def situation_of(session: Session, request: Request) -> Situation:
    """Where the request stands; three statements."""
    every = session.scalars(
        select(Step)
        .where(Step.request_id == request.id)
        .order_by(Step.revision, Step.attempt, Step.position)
        .execution_options(populate_existing=True)
    ).all()
    last = max(((step.revision, step.attempt) for step in every), default=(0, 0))
    current = [
        step for step in every if (step.revision, step.attempt) == last and step.revision == request.revision
    ]
    earlier = [step for step in every if step not in current and step.state in {*_THERE, StepState.UNDOING}]
    aside = session.scalars(
        select(Task)
        .where(
            Task.subject == task_subject(request),
            Task.state == TaskState.FAILED,
            Task.kind.in_([FULFIL, DO_STEP, UNDO_STEP]),
        )
        .order_by(Task.id.desc())
    ).all()
    task = next((one for one in aside if _still_matters(one, request, last[1], every)), None)
    claim = session.scalars(
        select(ByHand)
        .where(ByHand.request_id == request.id, ByHand.state == ByHandState.CLAIMED)
        .order_by(ByHand.id)
        .limit(1)
    ).first()
    return Situation(request, current, earlier, task, claim)


def _still_matters(task: Task, request: Request, attempt: int, steps: Sequence[Step]) -> bool:
    """A task of an attempt that is over was set aside for good."""
    place = (task.payload["revision"], task.payload["attempt"])
    if task.kind == UNDO_STEP:
        undoing = {
            (step.revision, step.attempt, step.position) for step in steps if step.state is StepState.UNDOING
        }
        return (*place, task.payload["position"]) in undoing
    going = request.state in {State.SCHEDULED, State.FULFILLING}
    return going and place == (request.revision, attempt)


def locked_situation(session: Session, reference: str, seen: str) -> Situation:
    """The situation, locked against everybody else who acts. Raises NotFound, and Conflict when it is not what was seen."""
    number = find_id(session, reference)
    if number is None:
        raise NotFound(_("There is no such request."))
    situation = situation_of(session, get_locked(session, number))
    if situation.seen != seen:
        raise Conflict(_(CHANGED))
    return situation


def step_of(situation: Situation, step_id: int) -> Step:
    """One of its steps. Raises NotFound."""
    for step in (*situation.earlier, *situation.steps):
        if step.id == step_id:
            return step
    raise NotFound(_("There is no such step."))
