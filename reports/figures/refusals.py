"""What is refused, and why: by whom and where, never in the words that one person wrote to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageState
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.language import _, ngettext, spoken
from portal.core.times import number
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart, Table
from reports.figures.sheet import MOST_BARS, Asked


def refusals(session: Session, asked: Asked) -> Chart:
    """How many requests came to nothing in the period, by reason; one statement."""
    found: Counter[str] = Counter()
    for state, slug, stage, count in _refused(session, asked):
        found[_why(state, slug, spoken(stage) if stage else "")] += count
    ordered = sorted(found, key=lambda why: (-found[why], why))
    finding = _("No request was refused or withdrawn in this period.")
    if ordered:
        finding = ngettext(
            "%(number)s request came to nothing. The most frequent reason: %(why)s",
            "%(number)s requests came to nothing. The most frequent reason: %(why)s",
            found.total(),
            why=ordered[0],
        )
    return bars(
        "refusals",
        _("Refusals and why"),
        finding,
        [Amount(why, found[why]) for why in ordered[:MOST_BARS]],
        measured=_("Requests"),
        label=_("Why"),
        table=Table(
            (_("Why"), (_("Requests"), "number")), tuple((why, number(found[why])) for why in ordered)
        ),
    )


def _refused(session: Session, asked: Asked) -> Iterable[Any]:
    """How each request ended that came to nothing in the period, and in which stage somebody said no."""
    period = asked.period
    return session.execute(
        select(Request.state, Stage.slug, func.min(Stage.name).label("stage"), func.count().label("number"))
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .outerjoin(
            Stage,
            and_(
                Stage.request_id == Request.id,
                Stage.revision == Request.revision,
                Stage.state == StageState.REJECTED,
            ),
        )
        .where(
            Request.state.in_((State.REJECTED, State.REFUSED, State.WITHDRAWN)),
            Request.closed_at >= period.begins,
            Request.closed_at < period.until,
            asked.scope.condition(),
        )
        .group_by(Request.state, Stage.slug)
    ).all()


def _why(state: State, slug: str | None, stage: str) -> str:
    if state is State.REFUSED:
        return _("A rule or the target said no")
    if state is State.WITHDRAWN:
        return _("Taken back by the requester")
    if slug is None:
        return _("Nobody decided in time")
    return _("Refused by an approver: %(stage)s", stage=stage)
