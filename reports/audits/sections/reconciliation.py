"""Reconciliation: how much of what is live a request explains, and the findings of the period by their age."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Finding, Reading
from portal.core.language import N_
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    moment,
)
from reports.evidence.terms import Count, Moment, Part

#: Whole days that a finding has been open: up to so many.
AGES = ((7, N_("up to 7 days")), (30, N_("8 to 30 days")), (90, N_("31 to 90 days")))
OLDER = N_("more than 90 days")
KINDS = {
    "unexplained": N_("Live, and no request allows it"),
    "missing": N_("Recorded as live, and not there"),
    "drifted": N_("There, and not as it was approved"),
}
#: So old, an open finding is a deviation.
TOO_OLD = 30


class TargetLine(Part):
    """One kind of target: how often it was read in the period, and what its last reading in it showed."""

    connector: str
    readings: Count
    unanswered: Count
    last_at: Moment | None
    live: Count
    explained: Count


class FindingLine(Part):
    """One kind of finding: opened and closed in the period, and open at its time by age; `accepted` apart."""

    kind: str
    opened: Count
    closed: Count
    #: One for each age, the youngest first.
    open: tuple[Count, ...]
    accepted: Count


class Facts(Part):
    """All of it."""

    targets: tuple[TargetLine, ...]
    findings: tuple[FindingLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Three statements."""
    return Facts(targets=_targets(session, scope), findings=_findings(session, scope))


def _targets(session: Session, scope: Scope) -> tuple[TargetLine, ...]:
    in_period = (
        Reading.finished_at >= scope.query.begins,
        Reading.finished_at < scope.query.until,
    )
    counted = session.execute(
        select(
            Reading.connector,
            func.count(),
            func.count().filter(Reading.was_read.is_(False)),
            func.max(Reading.id).filter(Reading.was_read),
        )
        .where(*in_period)
        .group_by(Reading.connector)
        .order_by(Reading.connector)
    ).all()
    readings = {
        reading.id: reading
        for reading in session.scalars(
            select(Reading).where(Reading.id.in_([row[-1] or 0 for row in counted])).order_by(Reading.id)
        )
    }
    lines = []
    for connector, count, unanswered, last in counted:
        reading = readings.get(last or 0)
        lines.append(
            TargetLine(
                connector=connector,
                readings=count,
                unanswered=unanswered,
                last_at=moment(reading.finished_at) if reading else None,
                live=reading.live if reading else 0,
                explained=reading.explained if reading else 0,
            )
        )
    return tuple(lines)


def _findings(session: Session, scope: Scope) -> tuple[FindingLine, ...]:
    begins, until = scope.query.begins, scope.query.until
    opened: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    ages: dict[str, Counter[int]] = defaultdict(Counter)
    statement = (
        select(Finding.kind, Finding.state, Finding.first_seen_at, Finding.closed_at)
        .where(
            Finding.first_seen_at <= scope.as_of,
            or_(Finding.closed_at.is_(None), Finding.closed_at >= begins),
        )
        .order_by(Finding.id)
    )
    for kind, state, first_seen, closed_at in session.execute(statement):
        opened[kind.value] += begins <= first_seen < until
        closed[kind.value] += closed_at is not None and begins <= closed_at < until
        if closed_at is not None and closed_at <= scope.as_of:
            continue
        if state.value == "accepted":
            accepted[kind.value] += 1
        else:
            ages[kind.value][_age(scope.as_of - first_seen)] += 1
    kinds = [kind for kind in KINDS if opened[kind] or closed[kind] or accepted[kind] or ages[kind]]
    return tuple(
        FindingLine(
            kind=kind,
            opened=opened[kind],
            closed=closed[kind],
            open=tuple(ages[kind][place] for place in range(len(AGES) + 1)),
            accepted=accepted[kind],
        )
        for kind in kinds
    )


def _age(open_for: timedelta) -> int:
    return next((place for place, (days, _text) in enumerate(AGES) if open_for.days <= days), len(AGES))
