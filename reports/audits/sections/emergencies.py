"""Emergency changes and broken glass: what was done before its ordinary approvers had a say, and their reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.emergency.model import Review, ReviewState
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope, chunks
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

Standing = Literal["right", "wrong", "lapsed", "open", "overdue", "void", "none"]
WORDS: dict[Standing, str] = {
    "right": N_("Reviewed in time and found right"),
    "wrong": N_("Reviewed and found wrong"),
    "lapsed": N_("Not reviewed in time"),
    "open": N_("Review still open"),
    "overdue": N_("Review overdue"),
    "void": N_("Nothing was carried out, so nothing to review"),
    "none": N_("No review yet"),
}
CAUSES = {"emergency": N_("Emergency"), "break-glass": N_("Broken glass")}
SENTENCES: dict[Standing, str] = {
    "wrong": N_("A reviewer found that it was not right; undone: %(undone)s."),
    "lapsed": N_("Nobody reviewed it by %(due)s; undone: %(undone)s."),
    "overdue": N_("Its review was due %(due)s and is still open."),
    "none": N_("It was carried out and no review was opened."),
}


class ReviewLine(Part):
    """One request that went past its ordinary approvers, and how its review stands."""

    reference: str
    cause: Literal["emergency", "break-glass"]
    opened_at: Moment | None
    due_at: Moment | None
    closed_at: Moment | None
    undone_at: Moment | None
    standing: Standing
    carried_out: bool


class Facts(Part):
    """Every emergency of the population and every broken glass. `requests` is how many were looked at."""

    requests: Count
    lines: tuple[ReviewLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """One statement for each five hundred requests."""
    lines: list[ReviewLine] = []
    for part in chunks(scope.members):
        members = {member.request_id: member for member in part}
        reviewed = set()
        statement = (
            select(Review)
            .where(Review.request_id.in_(members), Review.opened_at <= scope.as_of)
            .order_by(Review.request_id, Review.revision)
        )
        for review in session.scalars(statement):
            reviewed.add(review.request_id)
            row = members[review.request_id].row
            closed = review.closed_at if review.closed_at and review.closed_at <= scope.as_of else None
            undone = review.undone_at if review.undone_at and review.undone_at <= scope.as_of else None
            lines.append(
                ReviewLine(
                    reference=row.reference,
                    cause=review.cause.value,
                    opened_at=moment(review.opened_at),
                    due_at=moment(review.due_at),
                    closed_at=moment(closed),
                    undone_at=moment(undone),
                    standing=_standing(
                        review, closed=closed is not None, overdue=review.due_at < scope.as_of
                    ),
                    carried_out=row.fulfilled_at is not None,
                )
            )
        lines += [
            ReviewLine(
                reference=member.row.reference,
                cause="emergency",
                opened_at=None,
                due_at=None,
                closed_at=None,
                undone_at=None,
                standing="none",
                carried_out=member.row.fulfilled_at is not None,
            )
            for number, member in members.items()
            if member.row.kind == "emergency" and number not in reviewed
        ]
    return Facts(requests=len(scope.members), lines=tuple(sorted(lines, key=lambda line: line.reference)))


def _standing(review: Review, *, closed: bool, overdue: bool) -> Standing:
    if not closed:
        return "overdue" if overdue else "open"
    found: dict[ReviewState, Standing] = {
        ReviewState.RIGHT: "right",
        ReviewState.WRONG: "wrong",
        ReviewState.LAPSED: "lapsed",
        ReviewState.VOID: "void",
    }
    return found[review.state]


def show(audit: Audit, facts: Facts) -> Shown:
    """Each with its review."""
    offerings = {row.reference: row.offering for row in audit.population.rows}
    deviations = tuple(_deviations(facts))
    right = sum(line.standing == "right" for line in facts.lines)
    share = len(facts.lines)
    if not facts.lines:
        claim = _("No request of the population went past its ordinary approvers.")
    elif deviations:
        claim = ngettext(
            "%(number)s request went past its ordinary approvers; reviews that found fault, are overdue or are missing: %(wrong)s.",
            "%(number)s requests went past their ordinary approvers; reviews that found fault, are overdue or are missing: %(wrong)s.",
            share,
            wrong=times.number(len(deviations)),
        )
    else:
        claim = ngettext(
            "%(number)s request went past its ordinary approvers; reviewed in time and found right: %(right)s; no review is overdue.",
            "%(number)s requests went past their ordinary approvers; reviewed in time and found right: %(right)s; no review is overdue.",
            share,
            right=times.number(right),
        )
    return Shown(
        title=_("Emergency changes and their reviews"),
        claim=claim,
        tone=tone_of(deviations, len(facts.lines)),
        checked=(
            _(
                "An emergency is decided by a committee and carried out at once; broken glass is two people with that role who carry a waiting request past its approvers. Both are reviewed afterwards by those who were passed over, within the time that the service names (24 hours for broken glass). What is found wrong or is not reviewed in time is undone."
            ),
        ),
        figures=(
            (_("Past their ordinary approvers"), times.number(len(facts.lines))),
            (_("Reviewed in time and found right"), times.number(right)),
            (
                _("Undone after the review"),
                times.number(sum(line.undone_at is not None for line in facts.lines)),
            ),
        ),
        charts=_charts(facts),
        tables=(
            Table(
                _("Each of them and its review"),
                (
                    Column(_("Request"), 21),
                    Column(_("Service")),
                    Column(_("Cause"), 19),
                    Column(_("Due"), 29),
                    Column(_("Closed"), 29),
                    Column(_("Review"), 43),
                ),
                tuple(
                    (
                        line.reference,
                        called(audit.offerings, offerings.get(line.reference, "")),
                        _(CAUSES[line.cause]),
                        at_time(line.due_at),
                        at_time(line.closed_at),
                        _(WORDS[_told(line)]),
                    )
                    for line in facts.lines
                ),
                _("None."),
            ),
        ),
        not_looked_at=(
            _(
                "Whether an emergency was one: that is what its reviewers judged, with their reasons in its evidence."
            ),
            _(
                "Emergencies that were handled without this portal; what they left on targets is for reconciliation to find."
            ),
        ),
        deviations=deviations,
    )


def _told(line: ReviewLine) -> Standing:
    """How its review stands; what was never carried out needs none."""
    return "void" if line.standing == "none" and not line.carried_out else line.standing


def _deviations(facts: Facts) -> Iterator[Deviation]:
    for line in facts.lines:
        standing = _told(line)
        if standing not in SENTENCES:
            continue
        yield Deviation(
            line.reference,
            _(
                SENTENCES[standing],
                due=at_time(line.due_at),
                undone=at_time(line.undone_at) if line.undone_at else _("not yet"),
            ),
        )


def _charts(facts: Facts) -> tuple[Chart, ...]:
    counts = Counter(map(_told, facts.lines))
    items = [Amount(_(WORDS[word]), counts[word]) for word in WORDS if counts[word]]
    if not items:
        return ()
    most = max(items, key=lambda item: item.value)
    return (
        bars(
            "emergencies-reviews",
            _("How the reviews stand"),
            _(
                "Most often: %(word)s (%(number)s).",
                word=most.label,
                number=times.number(most.value),
            ),
            items,
            measured=_("Requests"),
            label=_("Review"),
        ),
    )
