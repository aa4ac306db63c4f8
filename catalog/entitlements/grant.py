"""Granting: what a finished step brought to life, until when, and the tasks that will end it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Plan
from catalog.fulfilment.model import Step
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of, task_subject
from portal.audit import record
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import enqueue

END_ENTITLEMENT = "end_entitlement"
WARN_OF_ENDING = "warn_of_ending"
#: How long before its end the holder is told.
WARNING = timedelta(days=7)


def grant(session: Session, request: Request, step: Step, plan: Plan, *, key: str) -> Entitlement:
    """Record what the step's read-back showed to be live, and arrange its end. Once per step."""
    known = session.scalars(select(Entitlement).where(Entitlement.step_id == step.id)).one_or_none()
    if known is not None:
        return known
    at = now(session)
    entitlement = Entitlement(
        request_id=request.id,
        step_id=step.id,
        person_id=request.beneficiary_id,
        connector=plan.connector,
        target=plan.target,
        key=key,
        label=label_of(request, step),
        facts=dict(plan.document),
        state=EntitlementState.LIVE,
        granted_at=at,
        ends_at=request.ends_at,
    )
    session.add(entitlement)
    session.flush()
    record(
        session,
        tags.ENTITLEMENT_GRANTED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "entitlement": entitlement.id,
            "step": step.position,
            "connector": plan.connector,
            "holder": f"person:{request.beneficiary_id}",
            "ends_at": request.ends_at.isoformat() if request.ends_at else None,
        },
        personal={"key": key},
    )
    if request.ends_at is not None:
        _arrange_end(session, request, entitlement)
    return entitlement


def label_of(request: Request, step: Step) -> str:
    """One line for people: what was asked for, and which part of it where the request has several."""
    if len(request.plans) == 1:
        return request.title
    return say("%(title)s: %(step)s", title=request.title, step=step.name)


def _arrange_end(session: Session, request: Request, entitlement: Entitlement) -> None:
    if entitlement.ends_at is None:
        return
    payload = {"entitlement_id": entitlement.id}
    enqueue(
        session,
        END_ENTITLEMENT,
        payload,
        run_at=entitlement.ends_at,
        subject=task_subject(request),
        dedupe_key=f"{END_ENTITLEMENT}:{entitlement.id}",
    )
    warn_at = entitlement.ends_at - WARNING
    if warn_at > entitlement.granted_at:
        enqueue(
            session,
            WARN_OF_ENDING,
            payload,
            run_at=warn_at,
            subject=task_subject(request),
            dedupe_key=f"{WARN_OF_ENDING}:{entitlement.id}",
        )
