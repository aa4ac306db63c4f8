"""How a fulfilment ends other than well: stopped because the world moved, or failed for good."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.entitlements.ending import end_with_step
from catalog.fulfilment.carrying import ALREADY_TRUE
from catalog.fulfilment.connectors.contract import ConnectorError, ConnectorPending, Plan
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.operators import tell_operators
from catalog.fulfilment.work import Work, hand_over, try_again
from catalog.requests import tags
from catalog.requests.events import RequestFailed
from catalog.requests.model import Request
from catalog.requests.moves import OPERATORS, get_locked, hand_baton, move, subject_of
from catalog.requests.replan import replan
from catalog.requests.states import Move
from catalog.requests.telling import tell_requester
from portal.audit import record
from portal.core.events import publish
from portal.core.language import every_language, say, spoken
from portal.identity.actor import PORTAL

#: What may be on the target, and so must be undone.
_TO_UNDO = frozenset({StepState.DONE, StepState.APPLIED})


def unwind(work: Work) -> None:
    """Undo the steps that were done, the last first; then prepare again after a drift, or fail.

    Raises TaskError when a target may answer later, HandedOver when people must act first; the next run goes on
    where this one was.
    """
    for step in reversed(work.read_steps()):
        if step.state in _TO_UNDO:
            _undo(work, step)
            work.boundary(f"step {step.position}: undone")
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        # Steps go in order, so the last failed one is the cause; those before it could not be undone.
        *left, cause = [step for step in work.steps(session) if step.state is StepState.FAILED]
        if cause.drifted and not left:
            stop_and_replan(session, request, cause.error)
        else:
            whys = [cause.error, *(_left_behind(step) for step in left)]
            fail(session, request, every_language(lambda: " ".join(spoken(why) for why in whys)))
        work.job.finish(session)
    work.boundary("ended")


def _left_behind(step: Step) -> str:
    return say(
        "The step “%(step)s” was done and could not be undone, so an operator must: %(why)s",
        step=step.name,
        why=step.error,
    )


def stop_and_replan(session: Session, request: Request, why: str) -> None:
    """Nothing of this revision is carried out; every approval is void and the request is prepared again."""
    record(
        session,
        tags.STOPPED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"seal": request.seal, "revision": request.revision},
        personal={"why": why},
    )
    replan(session, request, why)


def fail(session: Session, request: Request, why: str) -> None:
    """The request is failed and the operators must look; `why` is a sentence for the requester too."""
    move(session, request, Move.FAIL)
    request.outcome = why
    hand_baton(session, request, OPERATORS)
    record(
        session,
        tags.FAILED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"seal": request.seal},
        personal={"why": why},
    )
    publish(session, RequestFailed(request.id))
    tell_requester(session, request, "request_failed")
    summary = say("%(reference)s failed", reference=request.reference)
    tell_operators(session, summary, task="fulfil", reference=request.reference, why=why)


def _undo(work: Work, step: Step) -> None:
    """Revert one step and write it down; one that cannot be undone is marked failed.

    What was there before this request came is left alone.
    """
    problem = ""
    if step.outcome.get("found") != ALREADY_TRUE:
        try:
            work.connector(step).revert(Plan.from_json(step.plan), step.key)
        except ConnectorPending as pending:
            raise hand_over(work, step, pending, undoing=True) from pending
        except ConnectorError as error:
            if not error.permanent:
                raise try_again(error) from error
            problem = error.message
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = session.get_one(Step, step.id)
        if problem:
            row.state = StepState.FAILED
            row.error = problem
        else:
            row.state = StepState.REVERTED
            end_with_step(session, request, row)
        record(
            session,
            tags.STEP_NOT_REVERTED if problem else tags.STEP_REVERTED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={"step": row.position, "key": row.key},
            personal={"why": problem} if problem else None,
        )
