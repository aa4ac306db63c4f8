"""Reading the calendar: the changes of a time, with what they touch, and the freezes beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, exists, false, or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.assets.model import Asset
from catalog.changes.model import ChangedAsset, Kind, PlannedChange, Restriction
from catalog.changes.seeing import SeesRequests, concerning, readable, within_scope
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.model import Unit

#: More than this in one answer is cut; the page says so.
MOST = 400
PLANNED, RUNNING, DONE, FAILED = "planned", "running", "done", "failed"
#: What the calendar calls a request's state; others are not on it.
STANDINGS: Mapping[State, str] = {
    State.PENDING: PLANNED,
    State.SCHEDULED: PLANNED,
    State.FULFILLING: RUNNING,
    State.FULFILLED: DONE,
    State.ENDED: DONE,
    State.FAILED: FAILED,
}
CALLED_OFF = frozenset({State.WITHDRAWN, State.REJECTED, State.REFUSED})


@dataclass(frozen=True, slots=True)
class Only:
    """What of the calendar is asked for; empty for everything. `units` are a unit and those below it."""

    offering: str = ""
    units: frozenset[int] = frozenset()
    asset: str = ""
    standing: str = ""


class ChangeRow(NamedTuple):
    """One change as it was read; times are UTC."""

    change: PlannedChange
    reference: str
    state: State
    digest: str
    offering: str
    unit: str
    #: Whether the reader may see the request itself.
    readable: bool


EVERYTHING = Only()


def changes_between(
    session: Session,
    actor: Actor,
    first: datetime,
    last: datetime,
    *,
    sees: SeesRequests,
    only: Only = EVERYTHING,
    called_off: bool = False,
) -> Sequence[ChangeRow]:
    """The changes that the actor may know of from `first` until before `last` (aware), in order; at most 400.

    Those that run are among them while they do, whenever they started. One statement, and two more for those who lead
    a unit.
    """
    may_read = readable(session, actor, sees)
    now_too = first <= now(session)
    running = and_(Request.state == State.FULFILLING, PlannedChange.shown_at < last) if now_too else false()
    states = [*STANDINGS, *(CALLED_OFF if called_off else ())]
    statement = (
        rows_of_changes(may_read)
        .where(
            or_(and_(PlannedChange.shown_at >= first, PlannedChange.shown_at < last), running),
            Request.state.in_(states),
            or_(may_read, concerning(actor)),
        )
        .limit(MOST)
    )
    return [ChangeRow(*row) for row in session.execute(_narrowed(statement, only))]


def rows_of_changes(may_read: Any) -> Select[Any]:
    """What a `ChangeRow` is made of, in the order of lists; `may_read` is `seeing.readable`'s."""
    return (
        select(
            PlannedChange,
            Request.reference,
            Request.state,
            OfferingVersion.digest,
            OfferingVersion.document["name"].as_string(),
            Unit.name,
            may_read,
        )
        .join(Request, Request.id == PlannedChange.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .join(Unit, Unit.id == PlannedChange.unit_id)
        .order_by(PlannedChange.shown_at, PlannedChange.id)
    )


def assets_of(session: Session, changes: Collection[int]) -> Mapping[int, Sequence[str]]:
    """By change, what it touches: `Order portal (APP-004)`. One statement, none without changes."""
    found: dict[int, list[str]] = defaultdict(list)
    if changes:
        for number, asset_id, name in session.execute(
            select(ChangedAsset.change_id, Asset.asset_id, Asset.name)
            .join(Asset, Asset.id == ChangedAsset.asset_id)
            .where(ChangedAsset.change_id.in_(changes))
            .order_by(ChangedAsset.change_id, Asset.asset_id)
        ):
            found[number].append(f"{name} ({asset_id})")
    return found


def in_force(session: Session, kind: Kind, at: datetime) -> Sequence[Restriction]:
    """The windows in force, or the freezes that are not over at this moment; one statement."""
    return session.scalars(
        _with_names()
        .where(
            Restriction.kind == kind,
            Restriction.ended_at.is_(None),
            Restriction.ends_at.is_(None) | (Restriction.ends_at > at),
        )
        .order_by(Restriction.begins_at, Restriction.id)
    ).all()


def freezes_between(session: Session, actor: Actor, first: datetime, last: datetime) -> Sequence[Restriction]:
    """The freezes that were not lifted and touch the time from `first` until before `last`; one statement.

    Everybody is told of all of them, but for a limited auditor's account: it sees those that are for its scope.
    """
    return session.scalars(
        _with_names()
        .where(
            Restriction.kind == Kind.FREEZE,
            Restriction.ended_at.is_(None),
            Restriction.begins_at < last,
            Restriction.ends_at > first,
            within_scope(session, actor),
        )
        .order_by(Restriction.begins_at, Restriction.id)
        .limit(MOST)
    ).all()


def _with_names() -> Select[Restriction]:
    return select(Restriction).options(
        joinedload(Restriction.offering),
        joinedload(Restriction.unit),
        joinedload(Restriction.asset),
        joinedload(Restriction.set_by),
    )


def _narrowed(statement: Select[Any], only: Only) -> Select[Any]:
    if only.offering:
        statement = statement.where(
            PlannedChange.offering_id.in_(select(Offering.id).where(Offering.slug == only.offering))
        )
    if only.units:
        statement = statement.where(PlannedChange.unit_id.in_(sorted(only.units)))
    if only.asset:
        statement = statement.where(
            exists().where(
                ChangedAsset.change_id == PlannedChange.id,
                Asset.id == ChangedAsset.asset_id,
                Asset.asset_id == only.asset,
            )
        )
    if only.standing:
        states = [state for state, standing in STANDINGS.items() if standing == only.standing]
        statement = statement.where(Request.state.in_(states))
    return statement
