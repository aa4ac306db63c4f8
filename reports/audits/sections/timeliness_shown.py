"""What the chapter on timeliness shows."""

from __future__ import annotations

from portal.core import times
from portal.core.language import _, ngettext, spoken
from reports.audits.document import Audit
from reports.audits.sections.shapes import (
    NONE,
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    called,
    share,
    tone_of,
    working,
)
from reports.audits.sections.timeliness import WORK, Facts, PromiseLine, WaitLine
from reports.charts.bars import spreads
from reports.charts.chart import Chart, Spread, Stack
from reports.charts.stacked import stacked

#: As many names as a chart shows; all of them stand in the table.
DRAWN = 8


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
            Column(_("Kept in time"), 24, figure=True),
            Column(_("Missed"), 20, figure=True),
            Column(_("Still open"), 20, figure=True),
            Column(_("No promise"), 24, figure=True),
            Column(_("Share kept"), 27, figure=True),
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
            Column(_("Requests"), 16, figure=True),
            Column(_("Median"), 22, figure=True),
            Column(_("90th percentile"), 26, figure=True),
            Column(_("Longest"), 23, figure=True),
            Column(_("Late"), 16, figure=True),
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
                words=(_("Kept in time"), _("Missed")),
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
