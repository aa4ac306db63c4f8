"""The `prepare` task: read the targets, weigh the risk, resolve the route, make the seal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.planning import PlannedStep, StepOrder, orders_in, plan_steps
from catalog.offerings.facts import Facts
from catalog.offerings.rules import assess_risk, denial_of, kind_of
from catalog.requests import tags
from catalog.requests.already import why_needless
from catalog.requests.context import context_of
from catalog.requests.events import RequestPlanned
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move, subject_of
from catalog.requests.refuse import refuse
from catalog.requests.replan import PREPARE
from catalog.requests.states import Move, State
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import PortalError, Unavailable
from portal.core.events import publish
from portal.core.language import kept
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError

__all__ = ["PREPARE", "prepare", "risk_of"]


def prepare(job: Job, *, connectors: Connectors) -> None:
    """Bring a submitted request to its approvers, or refuse it with a sentence. Safe to run again.

    The route is resolved by whoever handles RequestPlanned, in the same transaction; a PortalError from there
    refuses the request. A target that does not answer raises TaskError, so the task tries again.
    """
    found = _read(job)
    if found is None:
        return
    orders, facts = found
    denied = denial_of(facts.document, facts)
    if denied:
        _refuse(job, facts.document.say(denied))
        return
    try:
        needless = why_needless(orders, connectors)
        if needless:
            _refuse(job, needless)
            return
        steps = plan_steps(orders, connectors)
    except ConnectorError as error:
        if not error.permanent:
            raise TaskError(error.message) from error
        _refuse(job, error.message)
        return
    try:
        _put_before_approvers(job, steps, facts)
    except Unavailable as error:
        raise TaskError(error.sentence) from error
    except PortalError as error:
        _refuse(job, error.sentence)


def risk_of(facts: Facts, steps: Sequence[PlannedStep]) -> dict[str, Any]:
    """The offering's risk with what the targets warn of, as it is kept and sealed."""
    risk = assess_risk(facts.document, facts).to_json()
    warnings = [
        {"points": 0, "because": kept(warning)}
        for warning in dict.fromkeys(text for step in steps for text in step.plan.warnings)
    ]
    return {**risk, "reasons": [*risk["reasons"], *warnings]}


def _read(job: Job) -> tuple[tuple[StepOrder, ...], Facts] | None:
    """What is to be planned; None when the request is no longer to be prepared."""
    try:
        with job.reading() as session:
            request = session.get_one(Request, job.payload["request_id"])
            if not _is_due(job, request):
                return None
            context = context_of(session, request)
            return orders_in(session, request, context), context.facts
    except PortalError as error:
        _refuse(job, error.sentence)
        return None


def _is_due(job: Job, request: Request) -> bool:
    return request.state is State.PREPARING and request.revision == job.payload["revision"]


def _put_before_approvers(job: Job, steps: Sequence[PlannedStep], facts: Facts) -> None:
    risk = risk_of(facts, steps)
    with job.transaction() as session:
        request = get_locked(session, job.payload["request_id"])
        if not _is_due(job, request):
            return
        move(session, request, Move.PREPARE)
        request.revision += 1
        request.plans = [step.to_json() for step in steps]
        request.risk = risk
        request.route = []
        request.outcome = ""
        request.sealed_at = now(session)
        record(
            session,
            tags.PREPARED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                "revision": request.revision,
                "risk": risk["level"],
                "steps": len(steps),
                "kind": kind_of(facts),
            },
        )
        session.flush()
        publish(session, RequestPlanned(request.id))
        job.finish(session)


def _refuse(job: Job, why: str) -> None:
    with job.transaction() as session:
        request = get_locked(session, job.payload["request_id"])
        if _is_due(job, request):
            refuse(session, request, why)
        job.finish(session)
