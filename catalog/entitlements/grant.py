"""Granting: what a finished step brought to life, until when, who answers for it, and the tasks that will end it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import arrange_end, end_on_target, review_at
from catalog.entitlements.model import Entitlement, EntitlementOwner, EntitlementState
from catalog.fulfilment.connectors.contract import Plan
from catalog.fulfilment.model import Step
from catalog.offerings.queries import document_of
from catalog.offerings.rules import owner_rule_of
from catalog.requests import tags
from catalog.requests.context import Context, context_of, end_when_granted
from catalog.requests.events import EntitlementGranted
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.events import publish
from portal.core.language import say
from portal.identity.actor import PORTAL


def grant(session: Session, request: Request, step: Step, plan: Plan, *, key: str) -> Entitlement:
    """Record what the step's read-back showed to be live, and arrange its end. Once per step.

    The clock of a duration starts now. A target that keeps the time itself may end it before that.
    """
    known = session.scalars(select(Entitlement).where(Entitlement.step_id == step.id)).one_or_none()
    if known is not None:
        return known
    at = now(session)
    context = _find_context(session, request)
    ends_at = _earlier(
        end_when_granted(context, at) if context else request.ends_at,
        end_on_target(step.read_back.get("facts", {})),
    )
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
        ends_at=ends_at,
        review_at=review_at(document_of(request.version), str(request.risk.get("level", "")), at, ends_at),
    )
    session.add(entitlement)
    session.flush()
    if context is not None:
        session.add_all(
            EntitlementOwner(entitlement_id=entitlement.id, rule=rule) for rule in owner_rules(context)
        )
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
            "ends_at": ends_at.isoformat() if ends_at else None,
        },
        personal={"key": key},
    )
    arrange_end(session, request, entitlement)
    publish(session, EntitlementGranted(entitlement.id))
    return entitlement


def label_of(request: Request, step: Step) -> str:
    """One line for people: what was asked for, and which part of it where the request has several."""
    if len(request.plans) == 1:
        return request.title
    return say("%(title)s: %(step)s", title=request.title, step=step.name)


def owner_rules(context: Context) -> tuple[str, ...]:
    """Who answers for what was chosen, as rules of routes: for assets, and for values that belong to somebody."""
    document = context.document
    rules = (
        owner_rule_of(context.facts, field.name)
        for field in document.fields
        if field.kind == "asset" or field.name in document.resources
    )
    return tuple(dict.fromkeys(rule for rule in rules if not rule.endswith(":")))


def _find_context(session: Session, request: Request) -> Context | None:
    """The request in context; None where it cannot be worked out any more: what is live is recorded all the same."""
    try:
        return context_of(session, request)
    except PortalError:
        return None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known) if known else None
