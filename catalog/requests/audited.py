"""Which requests are in the scope of an auditor's account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select, true
from sqlalchemy.orm import Session

from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.model import Request
from portal.identity.actor import Actor


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """A condition on Request: the auditor's account may see it. True for every other account."""
    scope = actor.audit
    if scope is None:
        return true()
    parts: list[ColumnElement[bool]] = [true()]
    if scope.units is not None:
        parts.append(Request.unit_id.in_(sorted(scope.units)))
    if scope.offerings is not None:
        versions = (
            select(OfferingVersion.id)
            .join(Offering, Offering.id == OfferingVersion.offering_id)
            .where(Offering.slug.in_(sorted(scope.offerings)))
        )
        parts.append(Request.offering_version_id.in_(versions))
    if scope.since is not None:
        parts.append(Request.submitted_at >= scope.since)
    if scope.until is not None:
        parts.append(Request.submitted_at < scope.until)
    return and_(*parts)


def is_in_scope(session: Session, actor: Actor, request_id: int) -> bool:
    """Whether this request is; one statement for an auditor whose account leaves anything out, none for others."""
    if actor.audit is None:
        return True
    if not actor.audit.running:
        return False
    if not actor.audit.limited:
        return True
    return bool(session.scalar(select(exists().where(Request.id == request_id, in_scope(actor)))))


def requests_in_scope(actor: Actor) -> Select[Any]:
    """As a subquery: their numbers."""
    return select(Request.id).where(in_scope(actor))
