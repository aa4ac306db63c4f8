"""Carrying out one step in a task of its own: read, write down, act, read back, set off what follows.

waiting → applying is committed before the target is touched; applying → applied after it answered; applied →
done together with the entitlement, once the target itself shows the effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from catalog.entitlements.grant import grant
from catalog.fulfilment.artefacts import keep_artefacts, lines_json
from catalog.fulfilment.connectors.contract import (
    ConnectorError,
    ConnectorPending,
    Json,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.effects import BY_HAND, REMOVES, meaning_of
from catalog.fulfilment.following import TO_UNDO
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.planning import StepOrder
from catalog.fulfilment.targets import called
from catalog.fulfilment.work import Work, hand_over, try_again
from catalog.requests import tags
from catalog.requests.moves import get_locked, subject_of
from portal.audit import record
from portal.core.canonical import canonical_json
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import TaskError

#: How an effect came to be there when it was not this try that made it; empty when it was.
ALREADY_TRUE = "already-true"
AFTER_INTERRUPTION = "after-interruption"
AFTER_REFUSAL = "after-refusal"
#: An earlier attempt at the same request did it and could not undo it.
EARLIER_ATTEMPT = "earlier-attempt"


def carry_out(work: Work, step: Step, order: StepOrder | None) -> None:
    """Bring the step to `done`, or to `failed` with the reason in its `error`, and set off what follows.

    Raises TaskError when the target may answer later, HandedOver when people must act first.
    """
    plan = Plan.from_json(step.plan)
    state = step.state
    if state is StepState.APPLYING:
        # A worker died, or the target did, with the outcome unknown: the target knows.
        state = _find_out(work, step, plan)
    if state in {StepState.WAITING, StepState.APPLYING}:
        drift, already_true = _look(work, step, plan, order)
        if drift:
            mark_failed(work, step, drift, drifted=True)
            return
        if already_true and state is StepState.WAITING:
            _mark_applied(
                work, step, {}, {}, found=EARLIER_ATTEMPT if left_earlier(work, step) else ALREADY_TRUE
            )
        elif not _apply(work, step, plan):
            return
    elif state is StepState.WAITING_FOR_PEOPLE and not _apply(work, step, plan):
        # The plan is not made again: people are at work on the sealed one.
        return
    _read_back_and_grant(work, step, plan)


def _find_out(work: Work, step: Step, plan: Plan) -> StepState:
    """Read the target after an unknown outcome; `applied` when the effect is there."""
    found = _read_back(work, step, plan)
    if not found.present:
        return StepState.APPLYING
    _mark_applied(work, step, found.facts, found.artefacts, found=AFTER_INTERRUPTION)
    return StepState.APPLIED


def _look(work: Work, step: Step, plan: Plan, order: StepOrder | None) -> tuple[str, bool]:
    """Plan again: why the sealed plan no longer holds ("" when it does), and whether its effect is there already."""
    if order is None or order.connector != step.connector:
        return say(
            "The step “%(step)s” is no longer part of what the request asks for.", step=step.name
        ), False
    try:
        fresh = work.connector(step).plan(order.order)
    except ConnectorError as error:
        if error.permanent:
            return error.message, False
        raise try_again(error) from error
    work.boundary(f"step {step.position}: planned")
    if fresh.effect != plan.effect:
        why = say(
            "%(target)s has changed since this was approved, so “%(step)s” would now do something else.",
            target=called(plan.target),
            step=order.name,
        )
        return why, False
    return "", fresh.already_true


def _apply(work: Work, step: Step, plan: Plan) -> bool:
    with work.job.transaction() as session:
        row = session.get_one(Step, step.id)
        row.started_at = row.started_at or now(session)
        row.state = StepState.APPLYING
    work.boundary(f"step {step.position}: written down")
    try:
        outcome = work.connector(step).apply(plan, step.key)
    except ConnectorPending as pending:
        raise hand_over(work, step, pending) from pending
    except ConnectorError as error:
        if not error.permanent:
            raise try_again(error) from error
        return _after_refusal(work, step, plan, error)
    work.boundary(f"step {step.position}: acted")
    _mark_applied(work, step, outcome.facts, outcome.artefacts, lines=outcome.lines)
    work.boundary(f"step {step.position}: applied")
    return True


def _after_refusal(work: Work, step: Step, plan: Plan, refusal: ConnectorError) -> bool:
    """A target may refuse after it has acted; only reading it tells."""
    found = _read_back(work, step, plan)
    if found.present:
        _mark_applied(work, step, found.facts, found.artefacts, found=AFTER_REFUSAL)
        return True
    mark_failed(work, step, refusal.message, drifted=False)
    return False


def _read_back_and_grant(work: Work, step: Step, plan: Plan) -> None:
    by_hand = is_by_hand(step)
    found = _look_at_handiwork(work, step, plan) if by_hand else _read_back(work, step, plan)
    work.boundary(f"step {step.position}: read back")
    if not found.present and not by_hand:
        _start_over_if_found(work, step)
        message = say(
            "%(target)s does not show what “%(step)s” did; it is read again.",
            target=called(plan.target),
            step=step.name,
        )
        raise TaskError(message)
    meaning = meaning_of(work, step, plan)
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = session.get_one(Step, step.id)
        row.state = StepState.DONE
        row.finished_at = now(session)
        row.read_back = {
            "present": found.present,
            "facts": dict(found.facts),
            "lines": lines_json(found.lines),
        }
        if meaning.removes:
            row.outcome = {**row.outcome, REMOVES: meaning.removes}
        keep_artefacts(session, row, found.artefacts)
        record(
            session,
            tags.STEP_READ_BACK,
            subject=subject_of(request),
            actor=PORTAL,
            facts={"step": row.position, "key": row.key, "present": found.present},
            personal={"read": canonical_json(found.facts).decode()},
        )
        if meaning.brings:
            grant(session, request, row, plan, key=meaning.brings)
        work.set_off(session, request)
    work.boundary(f"step {step.position}: done")


def _look_at_handiwork(work: Work, step: Step, plan: Plan) -> ReadBack:
    """What the target says of what was done by hand. Two people stand for it, so it need not be able to say."""
    try:
        return work.connector(step).read_back(plan, step.key)
    except ConnectorError as error:
        return ReadBack(present=False, facts={"read": False}, lines=(PlanLine("note", error.message),))


def is_by_hand(step: Step) -> bool:
    """Whether two operators stand for it."""
    return step.outcome.get("found") == BY_HAND


def left_earlier(work: Work, step: Step) -> bool:
    """Whether what is there already is this request's own: an attempt before could not take it back."""
    statement = select(Step.id).where(
        Step.request_id == step.request_id,
        Step.revision == step.revision,
        Step.attempt < step.attempt,
        Step.position == step.position,
        Step.state.in_([*TO_UNDO, StepState.NOT_REVERTED]),
    )
    with work.job.reading() as session:
        earlier = session.scalars(statement.limit(1)).first()
    return earlier is not None


def _start_over_if_found(work: Work, step: Step) -> None:
    """What was there before us is gone again, so the step itself has to be carried out."""
    with work.job.transaction() as session:
        row = session.get_one(Step, step.id)
        if row.outcome.get("found") in {ALREADY_TRUE, EARLIER_ATTEMPT}:
            row.state = StepState.WAITING
            row.outcome = {}


def _read_back(work: Work, step: Step, plan: Plan) -> ReadBack:
    try:
        return work.connector(step).read_back(plan, step.key)
    except ConnectorError as error:
        raise try_again(error) from error


def _mark_applied(
    work: Work,
    step: Step,
    facts: Json,
    artefacts: Mapping[str, bytes],
    *,
    lines: Iterable[PlanLine] = (),
    found: str = "",
) -> None:
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = session.get_one(Step, step.id)
        row.state = StepState.APPLIED
        row.started_at = row.started_at or now(session)
        row.outcome = {"facts": dict(facts), "lines": lines_json(lines), "found": found}
        keep_artefacts(session, row, artefacts)
        record(
            session,
            tags.STEP_APPLIED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                "step": row.position,
                "connector": row.connector,
                "key": row.key,
                "seal": request.seal,
                "found": found,
            },
            personal={"outcome": canonical_json(facts).decode()},
        )


def mark_failed(work: Work, step: Step, why: str, *, drifted: bool) -> None:
    """Write it down, and have what was done before it undone, the last first."""
    with work.job.transaction() as session:
        request = get_locked(session, work.request_id)
        row = session.get_one(Step, step.id)
        row.state = StepState.FAILED
        row.error = why
        row.drifted = drifted
        row.finished_at = now(session)
        record(
            session,
            tags.STEP_FAILED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={"step": row.position, "key": row.key, "drifted": drifted},
            personal={"why": why},
        )
        work.set_off(session, request)
    work.boundary(f"step {step.position}: failed")
