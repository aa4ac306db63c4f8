"""What the pages of findings show. Moments are in the reader's zone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.entitlements.model import Entitlement
from catalog.reconciliation.accepting import waiting_acceptance
from catalog.reconciliation.keeping import acceptance_in_force
from catalog.reconciliation.model import Acceptance, Finding, FindingKind, FindingState
from catalog.reconciliation.queries import latest_readings
from catalog.reconciliation.rights import finding_in_scope, get_finding, group_names, may_work, owned_slugs
from catalog.reconciliation.words import called
from catalog.requests.audited import in_scope
from catalog.requests.duplicates import OPEN
from catalog.requests.model import Request
from portal.core.clock import now
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

PAGE = 25
_HIGHEST = 2**62


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """One target, when it was last read, and how much of it is explained."""

    connector: str
    at: datetime
    was_read: bool
    why: str
    live: int
    explained: int


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding in a list. `request` is the reference of an open request about it."""

    id: int
    kind: str
    state: str
    label: str
    connector: str
    owner: str
    first_seen_at: datetime
    request: str
    adoptable: bool


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The page of reconciliation. `explained` of `live` is the figure over all targets that were read."""

    now: datetime
    readings: tuple[ReadingLine, ...]
    live: int
    explained: int
    lines: tuple[FindingLine, ...]
    following: int | None
    reads_all: bool
    may_work: bool


@dataclass(frozen=True, slots=True)
class AcceptanceLine:
    """A proposal, or what is accepted."""

    reason: str
    until: date
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class FindingPage:
    """One finding with all that can be done about it."""

    now: datetime
    id: int
    kind: str
    state: str
    label: str
    connector: str
    key: str
    owner: str
    facts: tuple[tuple[str, str], ...]
    differences: tuple[tuple[str, str, str], ...]
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    request: str
    request_state: str
    request_open: bool
    allowed_by: str
    acceptance: AcceptanceLine | None
    may_work: bool
    may_accept: bool


def index_page(
    session: Session,
    actor: Actor,
    *,
    state: FindingState = FindingState.OPEN,
    connector: str = "",
    kind: str = "",
    before: int | None = None,
) -> IndexPage:
    """The last readings, and the findings that the actor may see, the latest first; four statements."""
    zone = ZoneInfo(actor.timezone)
    reads_all = actor.may(Permission.READ_FINDINGS)
    own = frozenset() if reads_all else owned_slugs(session, actor)
    statement = (
        select(Finding, Request.reference, Request.state)
        .outerjoin(Request, (Request.id == Finding.request_id) & in_scope(actor))
        .where(Finding.state == state, Finding.id < (before or _HIGHEST))
        .order_by(Finding.id.desc())
        .limit(PAGE + 1)
    )
    if connector:
        statement = statement.where(Finding.connector == connector)
    if kind in {each.value for each in FindingKind}:
        statement = statement.where(Finding.kind == FindingKind(kind))
    if not reads_all:
        statement = statement.where(Finding.owner.in_(own))
    rows = session.execute(statement.where(finding_in_scope(actor))).all()
    # Readings count what everybody has.
    whole = actor.audit is None or not actor.audit.limited
    readings = latest_readings(session) if reads_all and whole else ()
    read = [reading for reading in readings if reading.was_read]
    names = group_names(session, (finding.owner for finding, _reference, _state in rows[:PAGE]))
    lines = tuple(
        _line(
            finding, names.get(finding.owner, finding.owner), reference if request_state in OPEN else "", zone
        )
        for finding, reference, request_state in rows[:PAGE]
    )
    return IndexPage(
        now=now(session).astimezone(zone),
        readings=tuple(
            ReadingLine(
                called(reading.connector),
                reading.finished_at.astimezone(zone),
                reading.was_read,
                spoken(reading.why),
                reading.live,
                reading.explained,
            )
            for reading in readings
        ),
        live=sum(reading.live for reading in read),
        explained=sum(reading.explained for reading in read),
        lines=lines,
        following=lines[-1].id if len(rows) > PAGE else None,
        reads_all=reads_all,
        may_work=actor.may(Permission.WORK_FINDINGS) or bool(own),
    )


def finding_page(session: Session, actor: Actor, finding_id: int) -> FindingPage:
    """One finding; six statements. Raises NotFound for one that is not the actor's to see."""
    zone = ZoneInfo(actor.timezone)
    finding = get_finding(session, actor, finding_id)
    request = _request(session, actor, finding)
    acceptance = waiting_acceptance(session, finding) or (
        acceptance_in_force(session, finding) if finding.state is FindingState.ACCEPTED else None
    )
    return FindingPage(
        now=now(session).astimezone(zone),
        id=finding.id,
        kind=finding.kind.value,
        state=finding.state.value,
        label=spoken(finding.label),
        connector=called(finding.connector),
        key=finding.key,
        owner=group_names(session, [finding.owner]).get(finding.owner, finding.owner),
        facts=tuple((name, _shown(value)) for name, value in sorted(finding.facts.items())),
        differences=tuple(
            (each["name"], _shown(each["sealed"]), _shown(each["found"])) for each in finding.differences
        ),
        first_seen_at=finding.first_seen_at.astimezone(zone),
        last_seen_at=finding.last_seen_at.astimezone(zone),
        closed_at=finding.closed_at.astimezone(zone) if finding.closed_at else None,
        request=request.reference if request else "",
        request_state=request.state.value if request else "",
        request_open=request is not None and request.state in OPEN,
        allowed_by=_allowed_by(session, actor, finding),
        acceptance=_acceptance(session, actor, acceptance, zone) if acceptance else None,
        may_work=finding.state is not FindingState.CLOSED and may_work(session, actor, finding),
        may_accept=finding.state is not FindingState.CLOSED and actor.may(Permission.ACCEPT_FINDINGS),
    )


def chosen_findings(
    session: Session, actor: Actor, numbers: Collection[int]
) -> Sequence[tuple[Finding, str]]:
    """Those of the findings that may be adopted, each with the user name of whoever probably holds it."""
    statement = select(Finding).where(
        Finding.id.in_(numbers),
        Finding.state != FindingState.CLOSED,
        Finding.kind != FindingKind.MISSING,
    )
    if not actor.may(Permission.WORK_FINDINGS):
        statement = statement.where(Finding.owner.in_(owned_slugs(session, actor)))
    findings = session.scalars(statement.order_by(Finding.id)).all()
    named = {finding.id: _account_in(finding.facts) for finding in findings}
    known = set(
        session.scalars(
            select(Person.user_name).where(Person.user_name.in_(set(named.values())), Person.active)
        )
    )
    return [(finding, named[finding.id] if named[finding.id] in known else "") for finding in findings]


def _line(finding: Finding, owner: str, request: str, zone: ZoneInfo) -> FindingLine:
    return FindingLine(
        finding.id,
        finding.kind.value,
        finding.state.value,
        spoken(finding.label),
        called(finding.connector),
        owner,
        finding.first_seen_at.astimezone(zone),
        request,
        finding.kind is not FindingKind.MISSING and not request,
    )


def _acceptance(session: Session, actor: Actor, acceptance: Acceptance, zone: ZoneInfo) -> AcceptanceLine:
    first, second = aliased(Person), aliased(Person)
    row = session.execute(
        select(first.name, second.name)
        .select_from(Acceptance)
        .join(first, first.id == Acceptance.proposed_by_id)
        .outerjoin(second, second.id == Acceptance.confirmed_by_id)
        .where(Acceptance.id == acceptance.id)
    ).one()
    return AcceptanceLine(
        reason=acceptance.reason,
        until=acceptance.until,
        proposed_by=row[0],
        proposed_at=acceptance.proposed_at.astimezone(zone),
        confirmed_by=row[1] or "",
        mine=acceptance.proposed_by_id == actor.person_id,
    )


def _request(session: Session, actor: Actor, finding: Finding) -> Request | None:
    """The request that takes it away or adopts it, where the actor may know of it."""
    if finding.request_id is None:
        return None
    return session.scalar(select(Request).where(Request.id == finding.request_id, in_scope(actor)))


def _allowed_by(session: Session, actor: Actor, finding: Finding) -> str:
    """The reference of the request that the record names; empty for something unexplained, and beyond an auditor's scope."""
    if finding.entitlement_id is None:
        return ""
    return (
        session.scalar(
            select(Request.reference)
            .join(Entitlement, Entitlement.request_id == Request.id)
            .where(Entitlement.id == finding.entitlement_id, in_scope(actor))
        )
        or ""
    )


def _account_in(facts: dict[str, Any]) -> str:
    for name in ("user_name", "account", "login", "for"):
        if isinstance(facts.get(name), str):
            return str(facts[name]).casefold()
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(part) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_shown(part)}" for name, part in sorted(value.items()))
    return "" if value is None else str(value)
