"""What the chapter on reconciliation shows."""

from __future__ import annotations

from catalog.reconciliation.words import called as target_name
from portal.core import times
from portal.core.language import _, ngettext
from reports.audits.document import Audit
from reports.audits.sections.reconciliation import AGES, KINDS, OLDER, TOO_OLD, Facts
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    share,
    tone_of,
)
from reports.charts.bars import shares
from reports.charts.chart import Amount, Chart, Stack
from reports.charts.stacked import stacked


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
            (_("Live things"), times.number(live)),
            (_("Explained"), f"{times.number(explained)} ({share(explained, live)})"),
            (_("Findings open"), times.number(open_now)),
        ),
        charts=_charts(facts),
        tables=(
            Table(
                _("Targets, as last read in the period"),
                (
                    Column(_("Target")),
                    Column(_("Readings"), 21, figure=True),
                    Column(_("Without answer"), 26, figure=True),
                    Column(_("Last read"), 41),
                    Column(_("Live things"), 20, figure=True),
                    Column(_("Explained"), 27, figure=True),
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
                    Column(_("Opened"), 18, figure=True),
                    Column(_("Closed"), 22, figure=True),
                    *(Column(_(text), 17, figure=True) for _days, text in AGES),
                    Column(_(OLDER), 19, figure=True),
                    Column(_("Agreed to stay"), 20, figure=True),
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
