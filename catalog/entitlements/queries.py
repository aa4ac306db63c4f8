"""Reading who has what: mine, my reports', my applications', or everything; filtered, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, exists, false, or_, select, true
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.rights import held_by_reports, owned_by, reports_of, rules_of
from catalog.fulfilment.targets import called
from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.answers import spoken_end
from catalog.requests.audited import requests_in_scope
from catalog.requests.model import Request
from portal.core.clock import now
from portal.core.errors import Forbidden
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

PAGE = 25
#: What one file takes at most, and how many rows are read at a time.
MOST_EXPORTED = 100_000
_AT_A_TIME = 1000


class Scope(StrEnum):
    """Whose entitlements are looked at."""

    MINE = "mine"
    REPORTS = "reports"
    APPLICATIONS = "applications"
    ALL = "all"


#: What is shown, by the states that count.
STATES: Mapping[str, tuple[EntitlementState, ...]] = {
    "now": (EntitlementState.LIVE, EntitlementState.ENDING),
    "ending": (EntitlementState.ENDING,),
    "ended": (EntitlementState.ENDED,),
    "all": tuple(EntitlementState),
}
#: Those that end within so many days.
SPANS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `ends` is a number of days, `never`, or empty; `service` an offering's slug."""

    scope: Scope = Scope.MINE
    show: str = "now"
    text: str = ""
    service: str = ""
    ends: str = ""


class EntitlementLine(NamedTuple):
    """One thing that a person holds or held. Times are in the reader's zone."""

    id: int
    label: str
    target: str
    offering: str
    reference: str
    state: str
    since: datetime
    until: str
    ends_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    holder: str
    holder_user_name: str
    key: str


_LINES = (
    select(
        Entitlement.id,
        Entitlement.label,
        Entitlement.target,
        OfferingVersion.digest,
        OfferingVersion.document["name"].as_string().label("offering"),
        Request.reference,
        Entitlement.state,
        Entitlement.granted_at,
        Entitlement.ends_at,
        Entitlement.ended_at,
        Entitlement.end_reason,
        Entitlement.key,
        Person.name.label("holder"),
        Person.user_name,
    )
    .join(Request, Request.id == Entitlement.request_id)
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(Person, Person.id == Entitlement.person_id)
    .order_by(Entitlement.id.desc())
)


def entitlements_of(
    session: Session,
    actor: Actor,
    wanted: Wanted | None = None,
    *,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[Sequence[EntitlementLine], int | None]:
    """What is wanted, the latest first, in one statement; and where the next page begins.

    Raises Forbidden for everything where the actor may not read all.
    """
    query = _filtered(session, actor, wanted or Wanted())
    if before is not None:
        query = query.where(Entitlement.id < before)
    rows = session.execute(query.limit(limit + 1)).all()
    zone = ZoneInfo(actor.timezone)
    names = names_of(session, ((row.digest, row.offering) for row in rows))
    lines = tuple(
        EntitlementLine(
            id=row.id,
            label=spoken(row.label),
            target=spoken(called(row.target)),
            offering=names[row.digest],
            reference=row.reference,
            state=row.state.value,
            since=row.granted_at.astimezone(zone),
            until=spoken_end(row.ends_at, actor.timezone),
            ends_at=row.ends_at.astimezone(zone) if row.ends_at else None,
            ended_at=row.ended_at.astimezone(zone) if row.ended_at else None,
            end_reason=spoken(row.end_reason),
            holder=row.holder,
            holder_user_name=row.user_name,
            key=row.key,
        )
        for row in rows[:limit]
    )
    return lines, lines[-1].id if len(rows) > limit else None


def every_line(session: Session, actor: Actor, wanted: Wanted) -> Iterator[EntitlementLine]:
    """Every line that is wanted, the latest first, for a file; a thousand at a time. Raises as `entitlements_of`."""
    before: int | None = None
    for _round in range(MOST_EXPORTED // _AT_A_TIME):
        lines, before = entitlements_of(session, actor, wanted, before=before, limit=_AT_A_TIME)
        yield from lines
        if before is None:
            return


def scopes_of(session: Session, actor: Actor) -> tuple[Scope, ...]:
    """What the actor may look at beside their own; one statement."""
    if actor.person_id is None:
        return ()
    if actor.audit is not None:
        return (Scope.ALL,) if actor.audit.running else ()
    rules = rules_of(actor.person_id)
    reports, applications = session.execute(
        select(exists(reports_of(actor.person_id)), exists(select(rules.c.rule)))
    ).one()
    found = (
        (Scope.MINE, True),
        (Scope.REPORTS, reports),
        (Scope.APPLICATIONS, applications),
        (Scope.ALL, actor.may(Permission.READ_ALL_REQUESTS)),
    )
    return tuple(scope for scope, there in found if there)


def services_in(session: Session, actor: Actor, scope: Scope) -> Sequence[tuple[str, str]]:
    """The offerings by which somebody in this scope has or had something: slug and name, by name; one statement."""
    rows = session.execute(
        select(Offering.slug, OfferingVersion.digest, OfferingVersion.document["name"].as_string())
        .join(OfferingVersion, OfferingVersion.offering_id == Offering.id)
        .where(
            OfferingVersion.id.in_(
                select(Request.offering_version_id)
                .join(Entitlement, Entitlement.request_id == Request.id)
                .where(_in_scope(actor, scope))
            )
        )
        .order_by(OfferingVersion.number)
    ).all()
    names = names_of(session, ((digest, name) for _slug, digest, name in rows))
    latest = {slug: names[digest] for slug, digest, _name in rows}
    return sorted(latest.items(), key=lambda one: one[1].casefold())


def _filtered(session: Session, actor: Actor, wanted: Wanted) -> Select[Any]:
    query = _LINES.where(_in_scope(actor, wanted.scope), Entitlement.state.in_(STATES[wanted.show]))
    if wanted.service:
        offering = select(Offering.id).where(Offering.slug == wanted.service).scalar_subquery()
        query = query.where(OfferingVersion.offering_id == offering)
    if wanted.ends == "never":
        query = query.where(Entitlement.ends_at.is_(None))
    elif wanted.ends:
        query = query.where(Entitlement.ends_at < now(session) + timedelta(days=int(wanted.ends)))
    for word in wanted.text.split():
        columns = (
            Entitlement.label,
            Entitlement.target,
            Entitlement.key,
            Request.reference,
            Person.name,
            Person.user_name,
        )
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return query


def _in_scope(actor: Actor, scope: Scope) -> ColumnElement[bool]:
    person = actor.person_id or 0
    if actor.audit is not None and scope is not Scope.ALL:
        return false()
    match scope:
        case Scope.MINE:
            return Entitlement.person_id == person
        case Scope.REPORTS:
            return held_by_reports(person)
        case Scope.APPLICATIONS:
            return owned_by(person)
        case Scope.ALL:
            if not actor.may(Permission.READ_ALL_REQUESTS):
                raise Forbidden(_("Your roles do not include what everybody has."))
            if actor.audit is not None and actor.audit.limited:
                return Entitlement.request_id.in_(requests_in_scope(actor))
            return true()
