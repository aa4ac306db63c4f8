"""Who sees which change: whole where they may see the request, else as another change where it concerns them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import ColumnElement, Select, exists, false, or_, select, true
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.changes.concerns import with_those_above
from catalog.changes.model import ChangedAsset, PlannedChange, Restriction, Scope, ToldPerson
from catalog.offerings.model import Offering
from catalog.ordering.units.queries import units_led_by
from catalog.requests.audited import in_scope
from catalog.requests.model import Request
from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.permissions import Permission


@runtime_checkable
class SeesRequests(Protocol):
    """What the change calendar needs to know of routes. The approvals package stands above and fills this in."""

    def seen_by(self, person_id: int, at: datetime) -> Select[Any]:
        """As a subquery: the numbers of the requests that the person may see as one who was asked to decide."""
        ...


def readable(session: Session, actor: Actor, sees: SeesRequests) -> ColumnElement[bool]:
    """A condition on Request: the actor may see it. As catalog.requests.queries.may_see, for many at once.

    Two statements for those who lead a unit, none for others.
    """
    if actor.person_id is None:
        return false()
    if actor.audit is not None:
        return in_scope(actor) if actor.audit.running else false()
    if actor.may(Permission.READ_ALL_REQUESTS):
        return true()
    led: Collection[int] = units_led_by(session, actor)
    return or_(
        Request.requester_id == actor.person_id,
        Request.beneficiary_id == actor.person_id,
        Request.unit_id.in_(sorted(led)),
        Request.id.in_(sees.seen_by(actor.person_id, now(session))),
    )


def within_scope(session: Session, actor: Actor) -> ColumnElement[bool]:
    """A condition on Restriction: of a limited auditor's account what is for everything, or for a part of its scope.

    What holds for a unit holds for those below it. One statement for an account that is limited to units, none for
    others.
    """
    scope = actor.audit
    if scope is None or not scope.limited:
        return true()
    parts = [Restriction.scope == Scope.ALL]
    if scope.units is not None:
        above = with_those_above(session, scope.units)
        assets = select(Asset.id).where(Asset.unit_id.in_(sorted(scope.units)))
        parts += [Restriction.unit_id.in_(above), Restriction.asset_id.in_(assets)]
    else:
        parts.append(Restriction.scope.in_((Scope.UNIT, Scope.ASSET)))
    if scope.offerings is not None:
        named = select(Offering.id).where(Offering.slug.in_(sorted(scope.offerings)))
        parts.append(Restriction.offering_id.in_(named))
    else:
        parts.append(Restriction.scope == Scope.OFFERING)
    return or_(*parts)


def concerning(actor: Actor) -> ColumnElement[bool]:
    """A condition on PlannedChange: it touches what the actor owns, or they were told of it."""
    if actor.audit is not None:
        return false()
    owned = exists().where(
        ChangedAsset.change_id == PlannedChange.id,
        Asset.id == ChangedAsset.asset_id,
        or_(Asset.owner_id == actor.person_id, Asset.owner_group_id.in_(sorted(actor.group_ids))),
    )
    told = exists(
        select(ToldPerson.change_id).where(
            ToldPerson.change_id == PlannedChange.id, ToldPerson.person_id == actor.person_id
        )
    )
    return or_(owned.correlate(PlannedChange), told)
