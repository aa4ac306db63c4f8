"""What follows when a request about findings is fulfilled: what was adopted is recorded, what was removed is ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import arrange_end, review_at
from catalog.entitlements.ending import close_entitlement, tell_holder
from catalog.entitlements.model import Entitlement, EntitlementOwner, EntitlementState
from catalog.fulfilment.model import Step, StepState
from catalog.offerings.queries import document_of
from catalog.reconciliation.connector import KIND, REMOVE
from catalog.reconciliation.keeping import close, open_key
from catalog.reconciliation.model import Finding
from catalog.reconciliation.sealed import ADOPT
from catalog.requests import tags
from catalog.requests.events import EntitlementGranted, RequestFulfilled
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.events import publish
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.identity.model import Person


def on_fulfilled(session: Session, event: RequestFulfilled) -> None:
    """Record what the request adopted and end the record of what it took away, in the same transaction."""
    request = session.get_one(Request, event.request_id)
    steps = session.scalars(
        select(Step)
        .where(
            Step.request_id == request.id,
            Step.revision == request.revision,
            Step.connector == KIND,
            Step.state == StepState.DONE,
        )
        .order_by(Step.id)
    ).all()
    for step in steps:
        document = step.plan["document"]
        if step.plan["action"] == ADOPT:
            _record_adopted(session, request, step, document)
        elif step.plan["action"] == REMOVE:
            why = say("It was taken away by %(reference)s.", reference=request.reference)
            _end_others(session, document["connector"], document["key"], why)
        _close_finding(session, document["connector"], document["key"], request)


def on_granted(session: Session, event: EntitlementGranted) -> None:
    """What a request allows from now on is no finding any more, if that is what it was."""
    entitlement = session.get_one(Entitlement, event.entitlement_id)
    place = open_key(entitlement.connector, entitlement.key)
    finding = session.scalars(
        select(Finding).where(Finding.open_key == place, Finding.entitlement_id.is_(None))
    ).one_or_none()
    if finding is not None:
        close(session, finding, because="a request allows it now")


def _record_adopted(session: Session, request: Request, step: Step, document: dict[str, Any]) -> None:
    holder = session.scalars(select(Person).where(Person.user_name == document["holder"])).one()
    at = now(session)
    ends_at = _end_of(document["until"], holder.timezone)
    label = _label(session, document)
    # What it was before is replaced: the new record says what is there now.
    why = say("It was adopted as it is now by %(reference)s.", reference=request.reference)
    _end_others(session, document["connector"], document["key"], why, told=False)
    entitlement = Entitlement(
        request_id=request.id,
        step_id=step.id,
        person_id=holder.id,
        connector=document["connector"],
        target=document["connector"],
        key=document["key"],
        label=label,
        facts=dict(document["facts"]),
        state=EntitlementState.LIVE,
        granted_at=at,
        ends_at=ends_at,
        review_at=review_at(document_of(request.version), str(request.risk.get("level", "")), at, ends_at),
    )
    session.add(entitlement)
    session.flush()
    if document.get("owner"):
        session.add(EntitlementOwner(entitlement_id=entitlement.id, rule=f"group:{document['owner']}"))
    record(
        session,
        tags.ENTITLEMENT_GRANTED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "entitlement": entitlement.id,
            "step": step.position,
            "connector": entitlement.connector,
            "holder": f"person:{holder.id}",
            "ends_at": ends_at.isoformat() if ends_at else None,
            "adopted": True,
        },
        personal={"key": entitlement.key},
    )
    arrange_end(session, request, entitlement)
    publish(session, EntitlementGranted(entitlement.id))


def _end_others(session: Session, connector: str, key: str, why: str, *, told: bool = True) -> None:
    statement = select(Entitlement).where(
        Entitlement.connector == connector,
        Entitlement.key == key,
        Entitlement.state != EntitlementState.ENDED,
    )
    for entitlement in session.scalars(statement.order_by(Entitlement.id).with_for_update()).all():
        close_entitlement(session, entitlement, why=why)
        if told:
            tell_holder(session, "entitlement_ended", entitlement)


def _close_finding(session: Session, connector: str, key: str, request: Request) -> None:
    place = open_key(connector, key)
    finding = session.scalars(select(Finding).where(Finding.open_key == place)).one_or_none()
    if finding is not None:
        close(session, finding, because=f"worked by {request.reference}")


def _label(session: Session, document: dict[str, Any]) -> str:
    """In every language, as the finding still has it."""
    statement = select(Finding.label).where(
        Finding.connector == document["connector"], Finding.key == document["key"]
    )
    label = session.scalars(statement.order_by(Finding.id.desc()).limit(1)).one_or_none()
    return label if label is not None and str(label) == document["label"] else str(document["label"])


def _end_of(day: str, timezone: str) -> datetime | None:
    """The close of that day where the holder is, as UTC."""
    if not day:
        return None
    following = date.fromisoformat(day) + timedelta(days=1)
    return datetime.combine(following, time(), ZoneInfo(timezone)).astimezone(UTC)
