"""Reconciliation: how much of what is live a request explains, and the findings of the period by their age."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Finding, Reading
from catalog.reconciliation.words import called as target_name
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    moment,
    share,
    tone_of,
)
from reports.charts.bars import shares
from reports.charts.chart import Amount, Chart, Stack
from reports.charts.stacked import stacked
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


def show(audit: Audit, facts: Facts) -> Shown:
    """Targets, then findings."""
    live = sum(line.live for line in facts.targets)
    explained = sum(line.explained for line in facts.targets)
    open_now = sum(sum(line.open) for line in facts.findings)
    deviations = tuple(_deviations(facts))
    claim = (
        ngettext(
            "Of %(live)s things that are live on %(number)s kind of target, requests and agreed exceptions explain %(explained)s (%(share)s); findings open: %(open)s.",
            "Of %(live)s things that are live on %(number)s kinds of targets, requests and agreed exceptions explain %(explained)s (%(share)s); findings open: %(open)s.",
            len(facts.targets),
            live=times.number(live),
            explained=times.number(explained),
            share=share(explained, live),
            open=times.number(open_now),
        )
        if facts.targets
        else _("No target was read during the period, so nothing is known of what is live.")
    )
    return Shown(
        title=_("Reconciliation: what is live and who allowed it"),
        claim=claim,
        tone=tone_of(deviations, len(facts.targets)),
        checked=(
            _(
                "The portal reads what is live on each target and matches it with what requests allow, both ways. What no request allows, what is recorded and not there, and what is there and not as it was approved are findings. Explained is what a request allows or two people have agreed to as an exception."
            ),
        ),
        figures=(
            (_("Live"), times.number(live)),
            (_("Explained"), f"{times.number(explained)} ({share(explained, live)})"),
            (_("Findings open"), times.number(open_now)),
        ),
        charts=_charts(facts),
        tables=(
            Table(
                _("Targets, as last read in the period"),
                (
                    Column(_("Target")),
                    Column(_("Readings"), 22, figure=True),
                    Column(_("Without answer"), 26, figure=True),
                    Column(_("Last read"), 36),
                    Column(_("Live"), 18, figure=True),
                    Column(_("Explained"), 32, figure=True),
                ),
                tuple(
                    (
                        target_name(line.connector),
                        times.number(line.readings),
                        times.number(line.unanswered),
                        at_time(line.last_at),
                        times.number(line.live),
                        f"{times.number(line.explained)} ({share(line.explained, line.live)})",
                    )
                    for line in facts.targets
                ),
                _("None."),
            ),
            Table(
                _("Findings: opened and closed in the period, and open by age when this was told"),
                (
                    Column(_("Kind")),
                    Column(_("Opened"), 17, figure=True),
                    Column(_("Closed"), 17, figure=True),
                    *(Column(_(text), 19, figure=True) for _days, text in AGES),
                    Column(_(OLDER), 22, figure=True),
                    Column(_("Accepted"), 19, figure=True),
                ),
                tuple(
                    (
                        _(KINDS[line.kind]),
                        *(times.number(count) for count in (line.opened, line.closed, *line.open)),
                        times.number(line.accepted),
                    )
                    for line in facts.findings
                ),
                _("None."),
            ),
        ),
        in_tables=frozenset({"reconciliation-explained", "reconciliation-ages"}),
        not_looked_at=(
            _("Targets that the portal has no connector for, and what connectors cannot read back."),
            _(
                "Targets and findings are those of the whole organisation, whatever units and services were chosen."
            ),
        ),
        deviations=deviations,
    )


def _deviations(facts: Facts) -> list[Deviation]:
    found = [
        Deviation(target_name(line.connector), _("It was never read successfully in the period."))
        for line in facts.targets
        if line.last_at is None
    ]
    late = sum(
        sum(line.open[place] for place, (days, _text) in enumerate(AGES) if days > TOO_OLD)
        for line in facts.findings
    )
    late += sum(line.open[len(AGES)] for line in facts.findings)
    if late:
        found.append(
            Deviation(
                _("Findings"),
                ngettext(
                    "%(number)s finding has been open for more than %(days)s days.",
                    "%(number)s findings have been open for more than %(days)s days.",
                    late,
                    days=TOO_OLD,
                ),
            )
        )
    return found


def _charts(facts: Facts) -> tuple[Chart, ...]:
    found = []
    read = [line for line in facts.targets if line.live]
    if read:
        least = min(read, key=lambda line: (line.explained / line.live, line.connector))
        found.append(
            shares(
                "reconciliation-explained",
                _("How much of what is live is explained"),
                _(
                    "Least is explained on %(target)s: %(share)s.",
                    target=target_name(least.connector),
                    share=share(least.explained, least.live),
                ),
                [Amount(target_name(line.connector), line.explained / line.live) for line in read],
                measured=_("Explained"),
                label=_("Target"),
            )
        )
    if any(sum(line.open) for line in facts.findings):
        found.append(
            stacked(
                "reconciliation-ages",
                _("Open findings by age"),
                ngettext(
                    "%(number)s is older than 90 days.",
                    "%(number)s are older than 90 days.",
                    sum(line.open[len(AGES)] for line in facts.findings),
                ),
                [Stack(_(KINDS[line.kind]), tuple(line.open)) for line in facts.findings if sum(line.open)],
                words=(*(_(text) for _days, text in AGES), _(OLDER)),
                label=_("Kind"),
            )
        )
    return tuple(found)
