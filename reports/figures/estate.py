"""How much of what is live a request explains, and which emergencies nobody has looked back at yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from approvals.emergency.debt import owed
from approvals.emergency.model import Review, ReviewState
from catalog.offerings.model import OfferingVersion
from catalog.reconciliation.model import Reading
from catalog.reconciliation.queries import latest_readings
from catalog.requests.model import Request
from portal.core.language import N_, _, ngettext, spoken
from portal.core.times import day_short, moment_short, number
from portal.identity.permissions import Permission
from reports.charts.bars import bars, shares
from reports.charts.chart import Amount, Chart, Stack, Table
from reports.charts.stacked import stacked
from reports.charts.words import percent
from reports.figures.sheet import Asked, Sheet

_WEIGHING = (
    ("open", N_("Not reviewed yet, in time")),
    ("late", N_("Not reviewed yet, overdue")),
    ("wrong", N_("Found wrong, not undone yet")),
    ("lapsed", N_("Reviewed by nobody, not undone yet")),
)
_ENDED = (
    (ReviewState.RIGHT, N_("Found right")),
    (ReviewState.WRONG, N_("Found wrong")),
    (ReviewState.LAPSED, N_("Reviewed by nobody in time")),
)


def estate(session: Session, asked: Asked) -> Sheet:
    """Two statements."""
    reads = asked.actor.may(Permission.READ_FINDINGS)
    counted = [
        _(
            "What is live is as the targets showed it when they were last read. Emergency debt is that of this moment; ended reviews are those of the period."
        )
    ]
    if not reads:
        counted.append(_("How much of each target is explained is shown to those who may read findings."))
    rows = _reviews(session, asked)
    charts = [_debt(asked, rows), _ended(rows)]
    if reads:
        charts.insert(0, _explained(asked, latest_readings(session)))
    return Sheet(counted=tuple(counted), charts=tuple(charts), beside={})


def _explained(asked: Asked, readings: Sequence[Reading]) -> Chart:
    read = [reading for reading in readings if reading.was_read]
    live, explained = sum(each.live for each in read), sum(each.explained for each in read)
    if live:
        finding = _(
            "%(share)s of %(live)s live things are explained by a request or an acceptance; %(rest)s are not.",
            share=percent(explained / live),
            live=number(live),
            rest=number(live - explained),
        )
    elif readings:
        finding = _("Nothing is live on the targets that could be read.")
    else:
        finding = _("No target has been read yet.")
    silent = ", ".join(reading.connector for reading in readings if not reading.was_read)
    if silent:
        finding = _("%(finding)s Not read at the last try: %(targets)s.", finding=finding, targets=silent)
    shown = sorted(
        (each for each in read if each.live), key=lambda each: (each.explained / each.live, each.connector)
    )
    return shares(
        "estate",
        _("Explained estate"),
        finding,
        [Amount(each.connector, each.explained / each.live) for each in shown],
        measured=_("Explained"),
        table=Table(
            (
                _("Target"),
                (_("Live"), "number"),
                (_("Explained"), "number"),
                (_("Share"), "number"),
                _("Read"),
            ),
            tuple(
                (
                    each.connector,
                    number(each.live) if each.was_read else "—",
                    number(each.explained) if each.was_read else "—",
                    percent(each.explained / each.live) if each.was_read and each.live else "—",
                    moment_short(each.finished_at.astimezone(asked.period.zone))
                    if each.was_read
                    else _("Not read: %(why)s", why=spoken(each.why)),
                )
                for each in readings
            ),
        ),
    )


def _reviews(session: Session, asked: Asked) -> Sequence[Any]:
    """Counts of reviews: what weighs now, and what ended in the period."""
    period = asked.period
    weighing = case(
        ((Review.state == ReviewState.OPEN) & (Review.due_at < asked.at), "late"),
        (owed() & (Review.state == ReviewState.OPEN), "open"),
        (owed() & (Review.state == ReviewState.WRONG), "wrong"),
        (owed(), "lapsed"),
        else_="",
    )
    ended = case(
        ((Review.closed_at >= period.begins) & (Review.closed_at < period.until), Review.state), else_=None
    )
    each = (
        select(
            weighing.label("weighing"),
            ended.label("ended"),
            Review.due_at.label("due"),
            Request.unit_id.label("unit"),
        )
        .join(Request, Request.id == Review.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(Review.state != ReviewState.VOID, asked.scope.condition())
        .subquery()
    )
    return session.execute(
        select(
            each.c.weighing,
            each.c.ended,
            each.c.unit,
            func.count().label("number"),
            func.min(each.c.due).label("due"),
        )
        .group_by(each.c.weighing, each.c.ended, each.c.unit)
        .order_by(each.c.weighing, each.c.ended, each.c.unit)
    ).all()


def _debt(asked: Asked, rows: Sequence[Any]) -> Chart:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row.weighing:
            found.setdefault(asked.scope.units[row.unit], Counter())[row.weighing] += row.number
    total: Counter[str] = sum(found.values(), Counter())
    finding = _("No emergency weighs: everything done without its approvers was looked back at.")
    if total:
        oldest = min(row.due for row in rows if row.weighing)
        finding = ngettext(
            "%(count)s emergency weighs. Its review is due by %(due)s.",
            "%(count)s emergencies weigh, %(late)s of them not reviewed and overdue. The first review is due by %(due)s.",
            total.total(),
            count=number(total.total()),
            late=number(total["late"]),
            due=day_short(oldest.astimezone(asked.period.zone)),
        )
    return stacked(
        "debt",
        _("Emergency debt"),
        finding,
        [
            Stack(unit, tuple(counts[word] for word, _name in _WEIGHING))
            for unit, counts in sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
        ],
        words=[_(name) for _word, name in _WEIGHING],
        label=_("Unit"),
    )


def _ended(rows: Sequence[Any]) -> Chart:
    found = Counter[str]()
    for row in rows:
        if row.ended is not None:
            found[row.ended.value] += row.number
    number_ended = sum(found[state.value] for state, _name in _ENDED)
    finding = _("No review of an emergency ended in this period.")
    if number_ended:
        finding = ngettext(
            "%(count)s review ended; %(right)s found right what was done.",
            "%(count)s reviews ended; %(right)s found right what was done.",
            number_ended,
            count=number(number_ended),
            right=number(found[ReviewState.RIGHT.value]),
        )
    return bars(
        "reviews",
        _("How reviews of emergencies ended"),
        finding,
        [Amount(_(name), found[state.value]) for state, name in _ENDED] if number_ended else (),
        measured=_("Reviews"),
        label=_("Outcome"),
    )
