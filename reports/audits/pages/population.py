"""The population: how many there are of what, and what became of them."""

from __future__ import annotations

from collections import Counter

from portal.core.language import _, ngettext
from portal.core.times import number
from reports.audits.document import Audit
from reports.audits.pages.words import KINDS
from reports.audits.sections.controls import CARRIED_OUT
from reports.audits.sections.shapes import Column, Shown, Table, called, share
from reports.charts.chart import Chart, Stack
from reports.charts.stacked import stacked
from reports.evidence.words import STATES, word

#: As many names as a chart shows; all of them stand in the table.
DRAWN = 12
_NOT_DONE = frozenset({"rejected", "refused", "withdrawn", "failed"})


def shown_population(audit: Audit) -> Shown:
    """Counted by service, unit, kind and state."""
    rows = audit.population.rows
    services = Counter(row.offering for row in rows)
    done = Counter(row.offering for row in rows if row.state in CARRIED_OUT)
    refused = Counter(row.offering for row in rows if row.state in _NOT_DONE)
    units = Counter(row.unit for row in rows)
    kinds: Counter[str] = Counter(row.kind for row in rows)
    states = Counter(row.state for row in rows)
    complete = audit.completeness
    return Shown(
        title=_("The population"),
        claim=_(
            "Between the two signed heads of the ledger lie the references %(first)s to %(last)s without a gap; they are %(submissions)s requests, of which %(count)s are in the period and the scope.",
            first=complete.first,
            last=complete.last,
            submissions=number(complete.submissions),
            count=number(audit.population.count),
        )
        if complete.first
        else _("Between the two signed heads of the ledger no request was submitted."),
        tone="good" if rows else "wait",
        checked=(_digest_words(audit),),
        figures=(
            (_("Submitted between the two heads"), number(complete.submissions)),
            (_("Outside of the period"), number(complete.outside_period)),
            (_("Outside of the scope"), number(complete.outside_filter)),
            (_("In the population"), number(audit.population.count)),
        ),
        charts=_charts(audit, services, done, refused),
        tables=(
            Table(
                _("By service"),
                (
                    Column(_("Service")),
                    Column(_("Requests"), 24, figure=True),
                    Column(_("Carried out"), 24, figure=True),
                    Column(_("Not carried out"), 28, figure=True),
                    Column(_("Still under way"), 26, figure=True),
                ),
                tuple(
                    (
                        called(audit.offerings, slug),
                        number(count),
                        number(done[slug]),
                        number(refused[slug]),
                        number(count - done[slug] - refused[slug]),
                    )
                    for slug, count in sorted(services.items())
                ),
                _("No request."),
            ),
            _counted(
                _("By unit"), _("Unit"), [(called(audit.units, slug), units[slug]) for slug in sorted(units)]
            ),
            _counted(
                _("By kind of change"),
                _("Kind"),
                [(_(KINDS[kind]), kinds[kind]) for kind in KINDS if kinds[kind]],
            ),
            _counted(
                _("By state when the second head was signed"),
                _("State"),
                [(word(STATES, state), states[state]) for state in STATES if states[state]],
            ),
        ),
        not_looked_at=(
            _("Requests that were begun and never submitted: they have no reference."),
            _("What was asked for and done without this portal."),
        ),
        in_tables=frozenset({"population-services"}),
    )


def _digest_words(audit: Audit) -> str:
    return ngettext(
        "The digest of the one row of the population is in the ledger since before the auditor gave the word for the draw: %(digest)s",
        "The digest of the %(number)s rows of the population is in the ledger since before the auditor gave the word for the draw: %(digest)s",
        audit.population.count,
        digest=audit.population.digest,
    )


def _counted(caption: str, label: str, counts: list[tuple[str, int]]) -> Table:
    whole = sum(count for _name, count in counts)
    return Table(
        caption,
        (Column(label), Column(_("Requests"), 28, figure=True), Column(_("Share"), 28, figure=True)),
        tuple((name, number(count), share(count, whole)) for name, count in counts),
        _("No request."),
    )


def _charts(
    audit: Audit, services: Counter[str], done: Counter[str], refused: Counter[str]
) -> tuple[Chart, ...]:
    most = sorted(services, key=lambda slug: (-services[slug], slug))[:DRAWN]
    if not most:
        return ()
    return (
        stacked(
            "population-services",
            _("What became of the requests, by service"),
            _(
                "Most requests were for %(service)s: %(count)s, of which %(done)s were carried out.",
                service=called(audit.offerings, most[0]),
                count=number(services[most[0]]),
                done=number(done[most[0]]),
            ),
            [
                Stack(
                    called(audit.offerings, slug),
                    (done[slug], refused[slug], services[slug] - done[slug] - refused[slug]),
                )
                for slug in most
            ],
            words=(_("Carried out"), _("Not carried out"), _("Still under way")),
            label=_("Service"),
        ),
    )
