"""Looking names up in the index: one statement, whatever was typed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from catalog.entitlements.model import Entitlement
from catalog.explaining.model import Trace
from catalog.explaining.questions import Asked, Question
from catalog.fulfilment.model import Step
from catalog.reconciliation.model import Finding
from catalog.reconciliation.rights import finding_in_scope
from catalog.requests.audited import requests_in_scope
from portal.identity.actor import Actor

#: An answer names so many things, the latest first.
MOST = 100


class Hit(NamedTuple):
    """What a name leads to: a step of a request, or a finding."""

    step_id: int | None
    finding_id: int | None


def look_up(session: Session, actor: Actor, asked: Asked, *, at: datetime | None) -> Sequence[Hit]:
    """What the text leads to, now and in the past, or at one moment; the latest first, `MOST` and one at most.

    Of a limited auditor's account only what is in its scope: else others' things would take the place of its own, and
    be counted. Of everybody else's what they may not see is left out later.
    """
    wanted = [_matches(Trace, question) for question in asked.questions if question.kind != "reference"]
    if not wanted:
        return ()
    step = func.coalesce(Trace.step_id, Entitlement.step_id)
    statement = (
        select(step, Trace.finding_id)
        .outerjoin(Entitlement, Entitlement.id == Trace.entitlement_id)
        .where(or_(*wanted), _held(at), _within(actor, step))
    )
    if asked.port is not None:
        beside = aliased(Trace)
        same = or_(
            beside.entitlement_id == Trace.entitlement_id,
            beside.step_id == Trace.step_id,
            beside.finding_id == Trace.finding_id,
        )
        statement = statement.where(select(beside.id).where(same, _matches(beside, asked.port)).exists())
    rows = session.execute(statement.order_by(Trace.id.desc()).limit(MOST * 10)).all()
    found = dict.fromkeys(Hit(*row) for row in rows)
    return list(found)[: MOST + 1]


def _within(actor: Actor, step: ColumnElement[Any]) -> ColumnElement[bool]:
    if actor.audit is None or not actor.audit.limited:
        return true()
    steps = select(Step.id).where(Step.request_id.in_(requests_in_scope(actor)))
    findings = select(Finding.id).where(finding_in_scope(actor))
    return or_(step.in_(steps), Trace.finding_id.in_(findings))


def _held(at: datetime | None) -> ColumnElement[bool]:
    if at is None:
        return true()
    return and_(Trace.since <= at, or_(Trace.until.is_(None), Trace.until >= at))


def _matches(trace: Any, question: Question) -> ColumnElement[bool]:
    if question.kind == "network":
        return or_(
            and_(trace.kind == "network", trace.value.in_(question.wider)),
            and_(trace.kind == "network", trace.first.between(question.first, question.last)),
        )
    if question.kind == "port":
        return and_(trace.kind == "port", trace.first <= question.last, trace.last >= question.first)
    if question.kind == "commit":
        return and_(trace.kind == "commit", trace.first.between(question.first, question.last))
    if question.kind == "host":
        wildcard = "*." + question.value.partition(".")[2]
        return and_(trace.kind == "host", trace.value.in_((question.value, wildcard)))
    return and_(trace.kind == question.kind, trace.value == question.value)
