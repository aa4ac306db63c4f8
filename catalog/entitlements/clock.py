"""The clock of an entitlement: when it ends, when its holder is warned, when it is asked whether it is still needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement
from catalog.fulfilment.queues import queue_of
from catalog.offerings.language import OfferingDocument
from catalog.requests.model import Request
from catalog.requests.moves import task_subject
from portal.core.clock import now
from portal.jobs import enqueue

END_ENTITLEMENT = "end_entitlement"
WARN_OF_ENDING = "warn_of_ending"

#: How long before its end the holder is told, by how long it lasts at least; what lasts an hour ends without a word.
WARNINGS = (
    (timedelta(days=14), timedelta(days=7)),
    (timedelta(days=2), timedelta(days=1)),
    (timedelta(hours=4), timedelta(hours=1)),
    (timedelta(hours=1), timedelta(minutes=15)),
)
#: After how many days it is asked again where the offering does not say, by the risk with which it was approved.
DAYS_BY_RISK: Mapping[str, int] = {"low": 365, "medium": 180, "high": 90, "critical": 90}
#: What ends this soon after its question would come is not asked about: it would end before anybody is late.
NOT_WORTH_ASKING = timedelta(days=30)
#: The names under which a target that keeps the time itself says when it will end what it gave.
_SAID_BY_TARGETS = ("valid_before", "not_after")


def warn_at(granted_at: datetime, ends_at: datetime) -> datetime | None:
    """When its holder is told that the end is near; None for what is over too soon for that."""
    for least, ahead in WARNINGS:
        if ends_at - granted_at > least:
            return ends_at - ahead
    return None


def review_at(
    document: OfferingDocument, risk: str, since: datetime, ends_at: datetime | None
) -> datetime | None:
    """When it is next asked whether it is needed, counted from `since`; None for never. Moments are UTC."""
    if document.recertify == "never":
        return None
    days = int(document.recertify[:-1]) if document.recertify else DAYS_BY_RISK.get(risk, 90)
    at = since + timedelta(days=days)
    return at if ends_at is None or ends_at > at + NOT_WORTH_ASKING else None


def end_on_target(facts: Mapping[str, Any]) -> datetime | None:
    """When the target itself will end it (UTC), where it says so in what was read back."""
    for name in _SAID_BY_TARGETS:
        try:
            return datetime.fromisoformat(str(facts[name])).astimezone(UTC)
        except (KeyError, ValueError):
            continue
    return None


def arrange_end(session: Session, request: Request, entitlement: Entitlement, *, because: str = "") -> None:
    """Arrange the tasks that warn of the end and that take it away. Tasks for an end that was moved do nothing.

    `because` tells arrangements of one end apart: it may be moved away and back.
    """
    ends_at = entitlement.ends_at
    if ends_at is None:
        return
    payload = {"entitlement_id": entitlement.id, "ends_at": ends_at.isoformat()}
    key = f"{entitlement.id}:{ends_at.isoformat()}:{because}"
    enqueue(
        session,
        END_ENTITLEMENT,
        payload,
        run_at=ends_at,
        queue=queue_of(session, entitlement.connector),
        subject=task_subject(request),
        dedupe_key=f"{END_ENTITLEMENT}:{key}",
    )
    warned = warn_at(entitlement.granted_at, ends_at)
    if warned is not None and warned > now(session):
        enqueue(
            session,
            WARN_OF_ENDING,
            payload,
            run_at=warned,
            subject=task_subject(request),
            dedupe_key=f"{WARN_OF_ENDING}:{key}",
        )
