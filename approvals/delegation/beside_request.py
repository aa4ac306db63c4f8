"""The delegations that matter to one request, read in the statement that reads the request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import aliased

from approvals.delegation.in_force import InForce, covers
from approvals.delegation.model import Delegation
from approvals.routing.model import Stage, StageApprover
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.identity.model import Person

SUBSTITUTE = aliased(Person)
#: What the statement gives for each row, at its end; of a request without delegations, one row of nothing.
COLUMNS: tuple[Any, ...] = (
    Delegation.delegator_id,
    SUBSTITUTE.id,
    SUBSTITUTE.issuer,
    SUBSTITUTE.subject,
    SUBSTITUTE.name,
    Delegation.last_day,
    SUBSTITUTE.active,
    covers(Request.offering_version_id),
)


def concerns_request(at: datetime) -> ColumnElement[bool]:
    """Joins to a request what was delegated by whoever stands in it or is kept out of it, as of `at`."""
    asked = (
        select(StageApprover.person_id)
        .join(Stage, Stage.id == StageApprover.stage_id)
        .where(Stage.request_id == Request.id, Stage.revision == Request.revision)
        .correlate(Request)
    )
    publisher = (
        select(OfferingVersion.publisher_id)
        .where(OfferingVersion.id == Request.offering_version_id)
        .correlate(Request)
        .scalar_subquery()
    )
    kept_out = (Request.requester_id, Request.beneficiary_id, Request.editor_id, publisher)
    return and_(
        Delegation.begins_at <= at,
        Delegation.ends_at > at,
        or_(Delegation.delegator_id.in_(asked), Delegation.delegator_id.in_(kept_out)),
    )


def read_from(rows: Iterable[Row[Any]]) -> tuple[InForce, ...]:
    """What rows that end with COLUMNS say, as approvals.delegation.in_force gives it."""
    found = (row[-len(COLUMNS) :] for row in rows)
    return tuple(
        InForce(delegator, number, issuer, subject, name, last_day, covers=for_this)
        for delegator, number, issuer, subject, name, last_day, active, for_this in found
        if active
    )
