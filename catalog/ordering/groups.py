"""One page over an order's requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.model import OrderGroup, Request
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One request of an order."""

    reference: str
    title: str
    beneficiary: str
    state: str
    waiting_for: str
    promised_by: datetime | None
    missed: bool


@dataclass(frozen=True, slots=True)
class GroupPage:
    """An order: who placed it, when, and what became of each request. Times are in the reader's zone."""

    offering: str
    placed_by: str
    placed_at: datetime
    lines: tuple[GroupLine, ...]
    states: tuple[tuple[str, int], ...]


def group_page(session: Session, actor: Actor, group_id: int) -> GroupPage:
    """The page, in three statements. Raises NotFound for an order that is not the actor's to see."""
    group = session.get(OrderGroup, group_id) if group_id <= _LARGEST_ID else None
    if group is None or not (group.person_id == actor.person_id or actor.may(Permission.READ_ALL_REQUESTS)):
        raise NotFound(_("There is no such order, or it is not yours to see."))
    zone = ZoneInfo(actor.timezone)
    version = session.get_one(OfferingVersion, group.offering_version_id)
    rows = session.execute(
        select(
            Request.reference,
            Request.title,
            Person.name,
            Request.state,
            Request.baton,
            Request.promised_by,
            Request.promise_missed_at,
        )
        .join(Person, Person.id == Request.beneficiary_id)
        .where(Request.order_group_id == group.id)
        .order_by(Request.number)
    )
    lines = tuple(
        GroupLine(
            reference,
            spoken(title),
            beneficiary,
            state.value,
            spoken(baton),
            promised_by.astimezone(zone) if promised_by else None,
            missed_at is not None,
        )
        for reference, title, beneficiary, state, baton, promised_by, missed_at in rows
    )
    return GroupPage(
        offering=document_of(version).spoken().name,
        placed_by=session.get_one(Person, group.person_id).name,
        placed_at=group.created_at.astimezone(zone),
        lines=lines,
        states=tuple(Counter(line.state for line in lines).items()),
    )
