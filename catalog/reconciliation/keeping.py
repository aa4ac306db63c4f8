"""Keeping findings: opened when first seen, changed when they change, closed when a reading sees them no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.reconciliation import tags
from catalog.reconciliation.events import FindingClosed, FindingOpened
from catalog.reconciliation.model import Acceptance, Finding, FindingKind, FindingState
from catalog.reconciliation.owners import Owners
from catalog.reconciliation.record import BATCH
from catalog.reconciliation.verdicts import Verdict
from portal.audit import record
from portal.core.canonical import canonical_json, digest
from portal.core.clock import now
from portal.core.database import is_sqlite
from portal.core.events import publish
from portal.identity.actor import PORTAL

#: One arbitrary key for PostgreSQL's advisory lock: findings are written by one reading at a time.
_LOCK_KEY = 0x7265636F6E63696C


def open_key(connector: str, key: str) -> str:
    """One thing's identity among findings that are not closed."""
    return digest([connector, key])


def state_digest(finding: Finding) -> str:
    """What an acceptance is about: the kind of finding and all that was seen of it."""
    return digest([finding.kind.value, finding.facts, finding.differences])


def lock_findings(session: Session) -> None:
    """Hold other readings off until this transaction ends."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def keep(session: Session, connector: str, verdicts: Sequence[Verdict], owners: Owners) -> tuple[int, int]:
    """Write what was just seen; says how many findings are new, and how many of all are accepted."""
    if not verdicts:
        return 0, 0
    at = now(session)
    by_key = {open_key(connector, verdict.key): verdict for verdict in verdicts}
    known = {
        finding.open_key: finding
        for finding in session.scalars(
            select(Finding).where(Finding.open_key.in_(by_key)).with_for_update().order_by(Finding.id)
        )
    }
    fresh: list[Finding] = []
    accepted = 0
    for place, verdict in by_key.items():
        finding = known.get(place)
        if finding is None:
            fresh.append(_opened(connector, place, verdict, owners, at))
            continue
        _see_again(session, finding, verdict, at)
        accepted += finding.state is FindingState.ACCEPTED
    session.add_all(fresh)
    session.flush()
    for finding in fresh:
        record(
            session,
            tags.FOUND,
            subject=f"finding:{finding.id}",
            actor=PORTAL,
            facts={
                "connector": connector,
                "kind": finding.kind.value,
                "seen": state_digest(finding),
                "entitlement": finding.entitlement_id,
            },
            personal={"key": finding.key, "label": str(finding.label)},
        )
        publish(session, FindingOpened(finding.id))
    return len(fresh), accepted


def close_unseen(
    session: Session, connector: str, *, since: datetime, moving: Collection[str], limit: int = BATCH
) -> int:
    """Close findings that the reading which began at `since` no longer saw; says how many."""
    statement = (
        select(Finding)
        .where(
            Finding.connector == connector,
            Finding.state != FindingState.CLOSED,
            Finding.last_seen_at < since,
        )
        .order_by(Finding.id)
        .limit(limit)
    )
    if moving:
        statement = statement.where(Finding.key.not_in(moving))
    findings = session.scalars(statement.with_for_update()).all()
    for finding in findings:
        close(session, finding, because="not seen any more")
    return len(findings)


def close(session: Session, finding: Finding, *, because: str) -> None:
    """Nothing is left to be explained."""
    finding.state = FindingState.CLOSED
    finding.open_key = None
    finding.closed_at = now(session)
    record(
        session,
        tags.CLOSED,
        subject=f"finding:{finding.id}",
        actor=PORTAL,
        facts={"connector": finding.connector, "because": because, "kind": finding.kind.value},
    )
    publish(session, FindingClosed(finding.id))


def reopen(session: Session, finding: Finding, acceptance: Acceptance, *, because: str) -> None:
    """What was accepted is over."""
    acceptance.ended_at = now(session)
    finding.state = FindingState.OPEN
    finding.told_at = None
    record(
        session,
        tags.LAPSED,
        subject=f"finding:{finding.id}",
        actor=PORTAL,
        facts={"acceptance": acceptance.id, "because": because},
    )


def acceptance_in_force(session: Session, finding: Finding) -> Acceptance | None:
    """The confirmed acceptance that has not ended; one statement."""
    return session.scalars(
        select(Acceptance)
        .where(
            Acceptance.finding_id == finding.id,
            Acceptance.confirmed_at.is_not(None),
            Acceptance.ended_at.is_(None),
        )
        .order_by(Acceptance.id.desc())
        .limit(1)
    ).one_or_none()


def _opened(connector: str, place: str, verdict: Verdict, owners: Owners, at: datetime) -> Finding:
    return Finding(
        connector=connector,
        key=verdict.key,
        open_key=place,
        kind=verdict.kind,
        state=FindingState.OPEN,
        label=verdict.label,
        facts=dict(verdict.facts),
        differences=[dict(difference) for difference in verdict.differences],
        reference=verdict.reference,
        entitlement_id=verdict.entitlement_id,
        owner=owners.owner_of(connector, verdict.facts),
        first_seen_at=at,
        last_seen_at=at,
    )


def _see_again(session: Session, finding: Finding, verdict: Verdict, at: datetime) -> None:
    finding.last_seen_at = at
    seen = canonical_json([verdict.kind.value, dict(verdict.facts), [dict(d) for d in verdict.differences]])
    before = canonical_json([finding.kind.value, finding.facts, finding.differences])
    finding.label, finding.reference = verdict.label, verdict.reference
    if seen != before:
        finding.kind = FindingKind(verdict.kind)
        finding.facts = dict(verdict.facts)
        finding.differences = [dict(difference) for difference in verdict.differences]
        finding.entitlement_id = verdict.entitlement_id
        record(
            session,
            tags.CHANGED,
            subject=f"finding:{finding.id}",
            actor=PORTAL,
            facts={"kind": finding.kind.value, "seen": state_digest(finding)},
        )
        publish(session, FindingOpened(finding.id))
    if finding.state is FindingState.ACCEPTED:
        acceptance = acceptance_in_force(session, finding)
        if acceptance is None:
            finding.state = FindingState.OPEN
        elif seen != before and acceptance.digest != state_digest(finding):
            reopen(session, finding, acceptance, because="it has changed")
        elif acceptance.until < at.date():
            reopen(session, finding, acceptance, because="its last day has passed")
