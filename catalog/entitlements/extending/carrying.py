"""Carrying an extension out: the entitlement ends later, nothing is granted twice, and its target is not called.

The connector of the portal's own record (catalog.entitlements.connector) does this for its action `extend`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import review_at
from catalog.entitlements.ending import get_locked_entitlement
from catalog.entitlements.extending.model import Extension
from catalog.entitlements.extending.orders import EXTEND, KIND
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.moving import move_end
from catalog.fulfilment.connectors.contract import (
    Connector,
    ConnectorError,
    Json,
    Order,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.targets import called
from catalog.offerings.queries import document_of
from catalog.requests import tags
from catalog.requests.answers import spoken_end
from catalog.requests.model import Request
from portal.core.clock import now
from portal.core.language import N_, _, every_language, say, spoken
from portal.identity.actor import PORTAL

GONE = N_("“%(label)s” has ended meanwhile, so there is nothing to extend. Ask for it anew.")
KEEPS_TIME = N_(
    "%(target)s keeps the end itself, so “%(label)s” cannot last longer as it is: ask for a new one in its place."
)


def keeps_time(connector: Connector) -> bool:
    """Whether the target ends by itself what the connector brings, so that a later end in our record is none.

    A connector says so by `keeps_time = True` beside its contract; one that does not leaves the end to the portal.
    """
    return bool(getattr(connector, "keeps_time", False))


def plan_extension(session: Session, order: Order, connector: Connector) -> Plan:
    """That the entitlement ends at the order's end instead of its own. Raises a permanent ConnectorError."""
    entitlement = session.get(Entitlement, int(order.parameters.get("entitlement", 0)))
    until = order.ends_at
    if entitlement is None or until is None:
        raise ConnectorError(say("There is nothing of this kind to extend."), permanent=True)
    extension = _of(session, order.reference)
    applied = extension is not None and extension.applied_at is not None
    if entitlement.state is not EntitlementState.LIVE and not applied:
        raise ConnectorError(say(GONE, label=entitlement.label), permanent=True)
    if keeps_time(connector):
        raise ConnectorError(
            say(KEEPS_TIME, target=called(entitlement.target), label=entitlement.label), permanent=True
        )
    before = extension.ended_before if extension is not None else entitlement.ends_at
    zone = session.get_one(Request, entitlement.request_id).requester.timezone
    return Plan(
        connector=KIND,
        action=EXTEND,
        target=say("the portal's record of entitlements"),
        lines=(
            PlanLine("change", _moved(entitlement, before, until, zone)),
            PlanLine(
                "note",
                say("Nothing changes on the target, where it is in place already; it is taken away later."),
            ),
        ),
        document={
            "entitlement": entitlement.id,
            "key": entitlement.key,
            "person": order.beneficiary.user_name,
            "until": until.isoformat(),
            "reference": order.reference,
        },
        inverse={"until": before.isoformat() if before else None},
        already_true=_reaches(entitlement, until),
    )


def apply_extension(session: Session, plan: Plan) -> None:
    """Move the end, once, and write it into the ledger under the request that granted it.

    Raises a permanent ConnectorError for what has ended meanwhile.
    """
    entitlement = get_locked_entitlement(session, plan.document["entitlement"])
    extension = _of(session, plan.document["reference"])
    if extension is None or extension.applied_at is not None:
        return
    if entitlement.state is not EntitlementState.LIVE:
        raise ConnectorError(say(GONE, label=entitlement.label), permanent=True)
    until = datetime.fromisoformat(plan.document["until"])
    extension.applied_at = now(session)
    if not _reaches(entitlement, until):
        _move(session, entitlement, until, by=plan.document["reference"], tag=tags.ENTITLEMENT_EXTENDED)


def revert_extension(session: Session, plan: Plan) -> None:
    """Give it the end back that it had, unless it has ended or was moved again since."""
    entitlement = get_locked_entitlement(session, plan.document["entitlement"])
    extension = _of(session, plan.document["reference"])
    if extension is None or extension.applied_at is None:
        return
    extension.applied_at = None
    if entitlement.state is EntitlementState.LIVE and entitlement.ends_at == extension.until:
        _move(
            session,
            entitlement,
            extension.ended_before,
            by=plan.document["reference"],
            tag=tags.EXTENSION_UNDONE,
        )


def read_extension(session: Session, plan: Plan) -> ReadBack:
    """Whether it is in place until then, by the record."""
    entitlement = session.get_one(Entitlement, plan.document["entitlement"])
    until = datetime.fromisoformat(plan.document["until"])
    present = entitlement.state is EntitlementState.LIVE and _reaches(entitlement, until)
    zone = session.get_one(Request, entitlement.request_id).requester.timezone
    line = every_language(
        lambda: _(
            "The portal's record says: %(label)s, until %(end)s",
            label=spoken(entitlement.label),
            end=_in_a_sentence(entitlement.ends_at, zone),
        )
    )
    facts: dict[str, Any] = {"entitlement": entitlement.id, "until": plan.document["until"]}
    return ReadBack(present, facts, (PlanLine("note", line),))


def is_extension(document: Json) -> bool:
    """Whether the plan's document is one of an extension."""
    return "until" in document


def _move(session: Session, entitlement: Entitlement, until: datetime, *, by: str, tag: str) -> None:
    """Its tasks are arranged anew; the question whether it is needed was answered by whoever approved this."""
    request = move_end(session, entitlement, until, tag=tag, actor=PORTAL, because=by, facts={"by": by})
    risk = str(request.risk.get("level", ""))
    entitlement.review_at = review_at(document_of(request.version), risk, now(session), until)


def _of(session: Session, reference: str) -> Extension | None:
    statement = select(Extension).join(Request, Request.id == Extension.request_id)
    return session.scalars(statement.where(Request.reference == reference)).one_or_none()


def _reaches(entitlement: Entitlement, until: datetime) -> bool:
    return entitlement.ends_at is None or entitlement.ends_at >= until


def _moved(entitlement: Entitlement, before: datetime | None, until: datetime, zone: str) -> str:
    return every_language(
        lambda: _(
            "%(label)s, on %(target)s: until %(new)s instead of %(old)s",
            label=spoken(entitlement.label),
            target=spoken(entitlement.target),
            new=_in_a_sentence(until, zone),
            old=_in_a_sentence(before, zone),
        )
    )


def _in_a_sentence(ends_at: datetime | None, zone: str) -> str:
    text = spoken_end(ends_at, zone)
    return text[:1].lower() + text[1:]
