"""Failed and undone changes: what did not go through, what was taken back, and what could not be."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.requests import tags
from portal.audit.model import Entry
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
    called,
    moment,
    tone_of,
)
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart
from reports.evidence.terms import Count, Moment, Part
from reports.evidence.words import STATES, word

#: What is counted, by its tag in the ledger.
COUNTED = {
    tags.STEP_FAILED: N_("Steps that failed"),
    tags.STEP_REVERTED: N_("Steps that were undone"),
    tags.STEP_NOT_REVERTED: N_("Steps that could not be undone"),
    tags.FAILED: N_("Fulfilments given up"),
    tags.STOPPED: N_("Fulfilments stopped before anything stayed"),
    tags.SEAL_MISMATCH: N_("What was stored did not match its seal"),
    tags.SET_ASIDE: N_("Background tasks set aside for operators"),
    tags.RETRIED: N_("Tried again by an operator"),
    tags.UNDO_ASKED: N_("Undone because an operator had it undone"),
    tags.BY_HAND_CONFIRMED: N_("Done or undone by hand, confirmed by a second operator"),
}
#: Those that an auditor must hear of request by request.
_GRAVE = (tags.STEP_NOT_REVERTED, tags.SEAL_MISMATCH)


class FailureLine(Part):
    """One request in which something failed or was taken back: how often what, by the ledger's tags."""

    reference: str
    first_at: Moment
    last_at: Moment
    counts: dict[str, Count]


class Facts(Part):
    """All of them, in the order of their references."""

    requests: Count
    lines: tuple[FailureLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """One statement over the ledger's own index of tags."""
    members = {f"request:{member.row.reference}" for member in scope.members}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    statement = (
        select(Entry.subject, Entry.tag, Entry.at)
        .where(Entry.tag.in_(COUNTED), Entry.number > scope.before_size, Entry.number <= scope.after_size)
        .order_by(Entry.number)
    )
    for subject, tag, at in session.execute(statement):
        if subject in members:
            counts[subject][tag] += 1
            last[subject] = moment(at) or ""
            first.setdefault(subject, last[subject])
    return Facts(
        requests=len(scope.members),
        lines=tuple(
            FailureLine(
                reference=subject.removeprefix("request:"),
                first_at=first[subject],
                last_at=last[subject],
                counts=dict(sorted(counts[subject].items())),
            )
            for subject in sorted(counts)
        ),
    )


def show(audit: Audit, facts: Facts) -> Shown:
    """Each with what happened; what stayed on a target, or did not match its seal, is a deviation."""
    rows = {row.reference: row for row in audit.population.rows}
    deviations = tuple(
        Deviation(
            line.reference,
            _("A step could not be undone, so it may still be on its target.")
            if tag == tags.STEP_NOT_REVERTED
            else _("What was stored did not match what had been approved; the portal carried nothing out."),
        )
        for line in facts.lines
        for tag in _GRAVE
        if tag in line.counts
    ) + tuple(
        Deviation(line.reference, _("It failed and nobody has settled it yet."))
        for line in facts.lines
        if rows[line.reference].state == "failed"
    )
    totals = {tag: sum(line.counts.get(tag, 0) for line in facts.lines) for tag in COUNTED}
    claim = (
        ngettext(
            "In %(number)s of %(requests)s requests something failed or was taken back; %(open)s of them left something to settle.",
            "In %(number)s of %(requests)s requests something failed or was taken back; %(open)s of them left something to settle.",
            len(facts.lines),
            requests=times.number(facts.requests),
            open=times.number(len({deviation.about for deviation in deviations})),
        )
        if facts.lines
        else _("In none of %(requests)s requests did anything fail.", requests=times.number(facts.requests))
    )
    return Shown(
        title=_("Failed and undone changes"),
        claim=claim,
        tone=tone_of(deviations, facts.requests),
        checked=(
            _(
                "Every step that fails, is undone or could not be undone is an entry of the ledger; they were counted between the two heads. A step is undone by the inverse that was sealed with its plan."
            ),
        ),
        figures=tuple((_(COUNTED[tag]), times.number(count)) for tag, count in totals.items() if count)[:4],
        charts=_charts(totals),
        tables=(
            Table(
                _("Requests in which something failed or was taken back"),
                (
                    Column(_("Request"), 21),
                    Column(_("Service"), 37),
                    Column(_("State"), 24),
                    Column(_("What happened, how often")),
                    Column(_("Last"), 36),
                ),
                tuple(
                    (
                        line.reference,
                        called(audit.offerings, rows[line.reference].offering),
                        word(STATES, rows[line.reference].state),
                        "; ".join(
                            f"{_(COUNTED[tag])}: {times.number(count)}" for tag, count in line.counts.items()
                        ),
                        at_time(line.last_at),
                    )
                    for line in facts.lines
                ),
                _("None."),
            ),
        ),
        not_looked_at=(
            _("Changes that people made on targets without this portal."),
            _("Whether a change that went through did what the business hoped for."),
        ),
        deviations=deviations,
    )


def _charts(totals: dict[str, int]) -> tuple[Chart, ...]:
    items = [Amount(_(COUNTED[tag]), count) for tag, count in totals.items() if count]
    if not items:
        return ()
    most = max(items, key=lambda item: item.value)
    return (
        bars(
            "failures-kinds",
            _("What failed or was taken back"),
            _("Most often: %(word)s (%(number)s).", word=most.label, number=times.number(most.value)),
            items,
            measured=_("Entries"),
        ),
    )
