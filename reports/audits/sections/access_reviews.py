"""Access reviews: the campaigns of the period, what was answered, and what nobody answered in time."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.access_reviews.model import AccessReview, ItemState, ReviewItem
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    moment,
    named,
    on_day,
    person,
    tone_of,
)
from reports.charts.chart import Chart, Stack
from reports.charts.stacked import stacked
from reports.evidence.terms import Count, Digest, Moment, Part, PersonRef

STATES = {"open": N_("Open"), "closed": N_("Closed"), "cancelled": N_("Cancelled")}
#: What becomes of an item, in the order of the chart.
ITEMS = {
    "kept": N_("Stays"),
    "changed": N_("To be different"),
    "revoked": N_("Taken away"),
    "void": N_("Ended by itself"),
    "open": N_("Not answered"),
}


class CampaignLine(Part):
    """One campaign. `late` are items that nobody answered in time: handed on, taken away for it, or still open past their day."""

    number: Count
    name: str
    state: str
    opened_by: PersonRef
    opened_at: Moment
    due_at: Moment
    closed_at: Moment | None
    population: Digest
    items: dict[str, Count]
    late: Count


class Facts(Part):
    """Those that were open at some time of the period."""

    lines: tuple[CampaignLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Two statements."""
    reviews = session.scalars(
        select(AccessReview)
        .where(
            AccessReview.opened_at < scope.query.until,
            or_(AccessReview.closed_at.is_(None), AccessReview.closed_at >= scope.query.begins),
        )
        .order_by(AccessReview.id)
    ).all()
    items: dict[int, Counter[str]] = defaultdict(Counter)
    late: Counter[int] = Counter()
    for number, state, due, escalated, answered_by, answered_at in session.execute(
        select(
            ReviewItem.review_id,
            ReviewItem.state,
            ReviewItem.due_at,
            ReviewItem.escalated,
            ReviewItem.answered_by_id,
            ReviewItem.answered_at,
        )
        .where(ReviewItem.review_id.in_([review.id for review in reviews]))
        .order_by(ReviewItem.id)
    ):
        items[number][state.value] += 1
        silent = state is ItemState.REVOKED and answered_by is None
        overdue = state is ItemState.OPEN and due < scope.as_of
        late[number] += escalated or silent or overdue or (answered_at is not None and answered_at > due)
    return Facts(
        lines=tuple(
            CampaignLine(
                number=review.id,
                name=review.name,
                state=review.state.value,
                opened_by=person(review.opened_by_id) or "",
                opened_at=moment(review.opened_at) or "",
                due_at=moment(review.due_at) or "",
                closed_at=moment(review.closed_at),
                population=review.digest,
                items=dict(sorted(items[review.id].items())),
                late=late[review.id],
            )
            for review in reviews
        )
    )


def show(audit: Audit, facts: Facts) -> Shown:
    """Each campaign with its answers; one that is open past its day, or was cancelled, is a deviation."""
    as_of = audit.as_of
    deviations = tuple(
        Deviation(
            _("Access review %(number)s", number=line.number),
            _("It was cancelled before everything was answered.")
            if line.state == "cancelled"
            else ngettext(
                "It was due %(day)s and is still open; %(number)s item is not answered.",
                "It was due %(day)s and is still open; %(number)s items are not answered.",
                line.items.get("open", 0),
                day=on_day(line.due_at),
            ),
        )
        for line in facts.lines
        if line.state == "cancelled" or (line.state == "open" and line.due_at < as_of)
    )
    total = sum(sum(line.items.values()) for line in facts.lines)
    revoked = sum(line.items.get("revoked", 0) for line in facts.lines)
    claim = (
        ngettext(
            "%(number)s access review looked at %(items)s entitlements; %(revoked)s were taken away, and %(late)s were not answered in time.",
            "%(number)s access reviews looked at %(items)s entitlements; %(revoked)s were taken away, and %(late)s were not answered in time.",
            len(facts.lines),
            items=times.number(total),
            revoked=times.number(revoked),
            late=times.number(sum(line.late for line in facts.lines)),
        )
        if facts.lines
        else _("No access review was open during the period.")
    )
    return Shown(
        title=_("Access reviews"),
        claim=claim,
        tone=tone_of(deviations, len(facts.lines)),
        checked=(
            _(
                "A campaign lists what was live and in its scope when it was opened; the digest covers that list. Whoever answers for each item keeps it, changes it or has it taken away; silence is handed on once or taken away, as the campaign says. The answers of each campaign are a signed file of its own."
            ),
        ),
        figures=(
            (_("Campaigns"), times.number(len(facts.lines))),
            (_("Entitlements looked at"), times.number(total)),
            (_("Taken away"), times.number(revoked)),
        ),
        charts=_charts(facts),
        tables=(
            Table(
                _("Campaigns"),
                (
                    Column(_("No."), 10),
                    Column(_("Campaign")),
                    Column(_("State"), 20),
                    Column(_("Open from, due"), 43),
                    Column(_("What was answered"), 44),
                    Column(_("Late"), 16, figure=True),
                ),
                tuple(
                    (
                        str(line.number),
                        _(
                            "%(name)s, opened by %(person)s",
                            name=line.name,
                            person=named(audit, line.opened_by),
                        ),
                        _(STATES[line.state]),
                        _("%(opened)s, %(due)s", opened=on_day(line.opened_at), due=on_day(line.due_at)),
                        "; ".join(
                            f"{_(text)}: {times.number(line.items[name])}"
                            for name, text in ITEMS.items()
                            if line.items.get(name)
                        ),
                        times.number(line.late),
                    )
                    for line in facts.lines
                ),
                _("None."),
            ),
        ),
        in_tables=frozenset({"access-reviews-answers"}),
        not_looked_at=(
            _("What was not in the scope of any campaign."),
            _("Campaigns are those of the whole organisation, whatever units and services were chosen."),
        ),
        deviations=deviations,
    )


def _charts(facts: Facts) -> tuple[Chart, ...]:
    if not any(line.items for line in facts.lines):
        return ()
    late = sum(line.late for line in facts.lines)
    return (
        stacked(
            "access-reviews-answers",
            _("What was answered"),
            ngettext("%(number)s item was late.", "%(number)s items were late.", late),
            [Stack(line.name, tuple(line.items.get(name, 0) for name in ITEMS)) for line in facts.lines],
            words=tuple(_(text) for text in ITEMS.values()),
            label=_("Campaign"),
        ),
    )
