"""Timeliness: promises kept and missed by unit and offering, and how long each stage kept a request waiting.

Waiting is counted in working time: by the calendar that the service's version names, in the zone and with the
holidays of the unit that the request was made for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageState
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.working_hours import calendar_of
from portal.core import times
from portal.core.calendar import WorkingCalendar
from portal.core.language import _, kept, ngettext, spoken
from portal.identity.model import Unit
from portal.identity.unit_settings import UnitSettings
from reports.audits.document import Audit, RowPart
from reports.audits.scope import Member, Scope, chunks
from reports.audits.sections.shapes import (
    NONE,
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    called,
    rank,
    share,
    tone_of,
    working,
)
from reports.charts.bars import spreads
from reports.charts.chart import Chart, Spread, Stack
from reports.charts.stacked import stacked
from reports.evidence.terms import Count, Kept, Part

#: As many names as a chart shows; all of them stand in the table.
DRAWN = 8
_ENDED = (StageState.APPROVED, StageState.REJECTED)
#: What is not a stage of approval: from the last approval to the end of the work.
WORK = "fulfilment"


class PromiseLine(Part):
    """What became of the promises of one unit or offering; requests without a promise are in `none`."""

    slug: str
    kept: Count
    missed: Count
    open: Count
    none: Count


class WaitLine(Part):
    """How long one stage of one offering took, in working minutes; `late` are those that ended after they were due.

    The stage `fulfilment` is the work itself, from the last approval to its end, which has no time of its own.
    """

    offering: str
    stage: str
    name: Kept
    count: Count
    median: Count
    ninetieth: Count
    longest: Count
    late: Count


class Facts(Part):
    """All of it."""

    units: tuple[PromiseLine, ...]
    offerings: tuple[PromiseLine, ...]
    waits: tuple[WaitLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """One statement for each five hundred requests, beside those for units and versions."""
    rows = [member.row for member in scope.members]
    return Facts(
        units=_promises((row.unit, row) for row in rows),
        offerings=_promises((row.offering, row) for row in rows),
        waits=_waits(session, scope),
    )


def _promises(named: Iterable[tuple[str, RowPart]]) -> tuple[PromiseLine, ...]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for slug, row in named:
        counts[slug][row.promise] += 1
    return tuple(
        PromiseLine(
            slug=slug,
            kept=count["kept"],
            missed=count["missed"],
            open=count["open"],
            none=count["none"],
        )
        for slug, count in sorted(counts.items())
    )


class _Calendars:
    """The calendar of a request, each worked out once."""

    def __init__(self, session: Session, rows: Sequence[RowPart]) -> None:
        self._units = {unit.slug: unit for unit in session.scalars(select(Unit).order_by(Unit.id))}
        self._rules = {}
        for part in chunks(sorted({row.offering_digest for row in rows})):
            for version in session.scalars(select(OfferingVersion).where(OfferingVersion.digest.in_(part))):
                self._rules[version.digest] = document_of(version).calendar
        self._known: dict[tuple[str, str], WorkingCalendar] = {}

    def of(self, row: RowPart) -> WorkingCalendar:
        key = (row.offering_digest, row.unit)
        if key not in self._known:
            unit = self._units[row.unit]
            self._known[key] = calendar_of(
                self._rules[row.offering_digest],
                unit.timezone,
                unit.country,
                unit=UnitSettings.from_json(unit.settings),
            )
        return self._known[key]


def _waits(session: Session, scope: Scope) -> tuple[WaitLine, ...]:
    calendars = _Calendars(session, [member.row for member in scope.members])
    minutes: dict[tuple[str, str], list[int]] = defaultdict(list)
    late: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], str] = {}
    for member, slug, name, opened, due, closed in _stages(session, scope):
        key = (member.row.offering, slug)
        # The name of the latest request that had the stage: a stage may be renamed by a newer version.
        names[key] = name
        minutes[key].append(calendars.of(member.row).minutes_between(opened, closed))
        late[key] += due is not None and closed > due
    for member in scope.members:
        row = member.row
        if row.decided_at and row.fulfilled_at:
            begun, done = datetime.fromisoformat(row.decided_at), datetime.fromisoformat(row.fulfilled_at)
            minutes[row.offering, WORK].append(calendars.of(row).minutes_between(begun, done))
    lines = []
    for (offering, stage), taken in sorted(minutes.items()):
        taken.sort()
        lines.append(
            WaitLine(
                offering=offering,
                stage=stage,
                name=kept(names.get((offering, stage), "")),
                count=len(taken),
                median=rank(taken, 50) or 0,
                ninetieth=rank(taken, 90) or 0,
                longest=taken[-1],
                late=late[offering, stage],
            )
        )
    return tuple(lines)


def _stages(
    session: Session, scope: Scope
) -> Iterator[tuple[Member, str, str, datetime, datetime | None, datetime]]:
    """Every stage that was decided by the time of the report, in the order of the requests."""
    for part in chunks(scope.members):
        members = {member.request_id: member for member in part}
        statement = (
            select(Stage.request_id, Stage.slug, Stage.name, Stage.opened_at, Stage.due_at, Stage.closed_at)
            .where(
                Stage.request_id.in_(members),
                Stage.state.in_(_ENDED),
                Stage.opened_at.is_not(None),
                Stage.closed_at <= scope.as_of,
            )
            .order_by(Stage.request_id, Stage.id)
        )
        for number, slug, name, opened, due, closed in session.execute(statement):
            if opened is not None and closed is not None:
                yield members[number], slug, name, opened, due, closed


def show(audit: Audit, facts: Facts) -> Shown:
    """Promises by unit and by service, then the waiting times."""
    kept_ones = sum(line.kept for line in facts.units)
    missed = sum(line.missed for line in facts.units)
    due = kept_ones + missed
    deviations = tuple(
        Deviation(
            row.reference,
            _(
                "Promised by %(promised)s; done %(done)s.",
                promised=at_time(row.promised_by),
                done=at_time(row.fulfilled_at),
            )
            if row.fulfilled_at
            else _("Promised by %(promised)s and not done by then.", promised=at_time(row.promised_by)),
        )
        for row in audit.population.rows
        if row.promise == "missed"
    )
    claim = (
        _(
            "Of %(due)s promises that fell due, %(kept)s were kept (%(share)s) and %(missed)s were missed.",
            due=times.number(due),
            kept=times.number(kept_ones),
            share=share(kept_ones, due),
            missed=times.number(missed),
        )
        if due
        else _("No promise fell due.")
    )
    return Shown(
        title=_("Timeliness"),
        claim=claim,
        tone=tone_of(deviations, due),
        checked=(
            _(
                "When a request is approved the portal promises a time, computed from the targets of its stages, the calendars of people and the change windows. A promise is kept when the request was fulfilled by then. What was withdrawn, rejected or refused counts for neither."
            ),
            _(
                "Waiting is counted in working time by the calendar of the service in the zone and with the holidays of the unit. Half of the requests waited no longer than the median, nine in ten no longer than the 90th percentile (nearest rank: a value that occurred)."
            ),
        ),
        figures=(
            (_("Promises kept"), times.number(kept_ones)),
            (_("Promises missed"), times.number(missed)),
        ),
        charts=_charts(audit, facts),
        tables=(
            _promise_table(_("Promises by unit"), _("Unit"), facts.units, audit.units),
            _promise_table(_("Promises by service"), _("Service"), facts.offerings, audit.offerings),
            _wait_table(audit, facts),
        ),
        in_tables=frozenset({"timeliness-units", "timeliness-waits"}),
        not_looked_at=(
            _("Days on which single people were absent: the calendars here are those of their units."),
            _("Stages that ended without an outcome, because the request was withdrawn or planned again."),
        ),
        deviations=deviations,
    )


def _promise_table(caption: str, label: str, lines: tuple[PromiseLine, ...], names: dict[str, str]) -> Table:
    return Table(
        caption,
        (
            Column(label),
            Column(_("Kept"), 20, figure=True),
            Column(_("Missed"), 20, figure=True),
            Column(_("Still open"), 20, figure=True),
            Column(_("No promise"), 24, figure=True),
            Column(_("Share kept"), 24, figure=True),
        ),
        tuple(
            (
                called(names, line.slug),
                *(times.number(count) for count in (line.kept, line.missed, line.open, line.none)),
                share(line.kept, line.kept + line.missed),
            )
            for line in lines
        ),
        _("No request."),
    )


def _wait_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Waiting by stage, in working time"),
        (
            Column(_("Service and stage")),
            Column(_("Requests"), 19, figure=True),
            Column(_("Median"), 24, figure=True),
            Column(_("90th percentile"), 27, figure=True),
            Column(_("Longest"), 24, figure=True),
            Column(_("Late"), 15, figure=True),
        ),
        tuple(
            (
                _stage_called(audit, line),
                times.number(line.count),
                working(line.median),
                working(line.ninetieth),
                working(line.longest),
                NONE if line.stage == WORK else times.number(line.late),
            )
            for line in facts.waits
        ),
        _("No stage was decided."),
    )


def _stage_called(audit: Audit, line: WaitLine) -> str:
    name = _("Carrying it out") if line.stage == WORK else str(spoken(line.name))
    return _(
        "%(service)s: %(stage)s", service=called(audit.offerings, line.offering), stage=name or line.stage
    )


def _charts(audit: Audit, facts: Facts) -> tuple[Chart, ...]:
    units = sorted(
        (line for line in facts.units if line.kept + line.missed),
        key=lambda line: (-(line.kept + line.missed), line.slug),
    )[:DRAWN]
    slowest = sorted(facts.waits, key=lambda line: (-line.ninetieth, line.offering, line.stage))[:DRAWN]
    found = []
    if units:
        worst = max(units, key=lambda line: (line.missed, line.slug))
        found.append(
            stacked(
                "timeliness-units",
                _("Promises kept and missed by unit"),
                ngettext(
                    "Most were missed in %(unit)s: %(number)s.",
                    "Most were missed in %(unit)s: %(number)s.",
                    worst.missed,
                    unit=called(audit.units, worst.slug),
                )
                if worst.missed
                else _("No promise was missed."),
                [Stack(called(audit.units, line.slug), (line.kept, line.missed)) for line in units],
                words=(_("Kept"), _("Missed")),
                label=_("Unit"),
            )
        )
    if slowest:
        found.append(
            spreads(
                "timeliness-waits",
                _("Where requests waited longest, in working hours"),
                _(
                    "The longest waiting was at %(stage)s: nine in ten took no longer than %(time)s.",
                    stage=_stage_called(audit, slowest[0]),
                    time=working(slowest[0].ninetieth),
                ),
                [
                    Spread(
                        _stage_called(audit, line), round(line.median / 60, 1), round(line.ninetieth / 60, 1)
                    )
                    for line in slowest
                ],
                words=(_("Median"), _("90th percentile")),
                label=_("Service and stage"),
            )
        )
    return tuple(found)
