"""How long requests wait, whether promises are kept, and what is refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageState
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.core.language import _, ngettext, spoken
from portal.core.times import number
from reports.charts.bars import spreads
from reports.charts.chart import Chart, Line, Spread, Table
from reports.charts.lines import lines
from reports.charts.words import hours
from reports.figures.clock import WorkingClock
from reports.figures.promises import promise_words, promises
from reports.figures.refusals import TO_NOTHING, refusals
from reports.figures.sheet import MOST_BARS, Asked, Sheet, percentile

_TYPICAL, _FAR = 0.5, 0.9


def speed(session: Session, asked: Asked) -> Sheet:
    """Two statements."""
    period = asked.period
    waits = _waits(session, asked)
    touched = _touched(session, asked)
    made = [row for row in touched if period.begins <= row.submitted_at < period.until]
    ended = [
        row
        for row in touched
        if row.state in TO_NOTHING and row.closed_at and period.begins <= row.closed_at < period.until
    ]
    scope = asked.scope
    return Sheet(
        counted=(
            _(
                "Waiting times are those of approval stages that were decided in the period, from the moment the stage opened, in working hours of the unit that receives the request."
            ),
            _("Promises and requests are counted by the day on which the request was submitted."),
        ),
        charts=(
            _waiting("waiting-by-stage", _("Waiting by stage"), _("Stage"), waits["stage"]),
            _waiting("waiting-by-offering", _("Waiting by offering"), _("Offering"), waits["offering"]),
            _waiting("waiting-by-unit", _("Waiting by unit"), _("Unit"), waits["unit"]),
            _requests(asked, made),
            promises(
                "promises-by-offering",
                _("Promises by offering"),
                _("Offering"),
                [(scope.offerings[row.offering_id], row.promise) for row in made],
            ),
            promises(
                "promises-by-unit",
                _("Promises by unit"),
                _("Unit"),
                [(scope.units[row.unit_id], row.promise) for row in made],
            ),
            refusals(ended),
        ),
        beside={
            "refusals": (
                _(
                    "What an approver wrote stands with the request and is not counted here: it is written to one person."
                ),
            )
        },
    )


def _waits(session: Session, asked: Asked) -> Mapping[str, Mapping[str, list[int]]]:
    """Working minutes by stage, offering and unit, each by its name."""
    period, scope = asked.period, asked.scope
    rows = session.execute(
        select(
            Stage.slug,
            Stage.name,
            OfferingVersion.offering_id,
            Request.unit_id,
            Stage.opened_at,
            Stage.closed_at,
        )
        .join(Request, Request.id == Stage.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(
            Stage.state.in_((StageState.APPROVED, StageState.REJECTED)),
            Stage.opened_at.is_not(None),
            Stage.closed_at >= period.begins,
            Stage.closed_at < period.until,
            scope.condition(),
        )
        .order_by(Stage.id)
    ).all()
    earliest = min((row.opened_at for row in rows), default=period.begins)
    clocks: dict[int, WorkingClock] = {}
    by: dict[str, dict[str, list[int]]] = {"stage": {}, "offering": {}, "unit": {}}
    names: dict[str, str] = {}
    for slug, name, offering, unit, opened, closed in rows:
        if opened is None or closed is None:  # the statement leaves these out
            continue
        if unit not in clocks:
            clocks[unit] = WorkingClock(scope.calendars[unit], earliest, period.until)
        minutes = clocks[unit].minutes(opened, closed)
        stage = names.setdefault(slug, spoken(name))
        by["stage"].setdefault(stage, []).append(minutes)
        by["offering"].setdefault(scope.offerings[offering], []).append(minutes)
        by["unit"].setdefault(scope.units[unit], []).append(minutes)
    return by


def _waiting(key: str, heading: str, label: str, found: Mapping[str, list[int]]) -> Chart:
    spread = {name: (percentile(times, _TYPICAL), percentile(times, _FAR)) for name, times in found.items()}
    ordered = sorted(found, key=lambda name: (-spread[name][0], -spread[name][1], name))
    if ordered:
        longest = ordered[0]
        finding = _(
            "The longest wait is %(name)s: half are decided within %(half)s working hours, nine in ten within %(most)s.",
            name=longest,
            half=_plain_hours(spread[longest][0]),
            most=_plain_hours(spread[longest][1]),
        )
    else:
        finding = _("No approval stage was decided in this period.")
    return spreads(
        key,
        heading,
        finding,
        [Spread(name, *spread[name]) for name in ordered[:MOST_BARS]],
        words=(_("Half are decided within (median)"), _("Nine in ten within (90th percentile)")),
        spoken=hours,
        table=Table(
            (
                label,
                (_("Decided stages"), "number"),
                (_("Median"), "number"),
                (_("90th percentile"), "number"),
            ),
            tuple(
                (name, number(len(found[name])), hours(spread[name][0]), hours(spread[name][1]))
                for name in ordered
            ),
        ),
    )


def _plain_hours(minutes: float) -> str:
    return number(round(minutes / 60, 1))


def _touched(session: Session, asked: Asked) -> Sequence[Any]:
    """Requests that were submitted in the period, or came to nothing in it, and the stage in which somebody said no."""
    period = asked.period
    rows = session.execute(
        select(
            Request.id,
            OfferingVersion.offering_id,
            Request.unit_id,
            Request.state,
            Request.submitted_at,
            Request.fulfilled_at,
            Request.closed_at,
            Stage.name.label("stage"),
            promise_words(asked.at).label("promise"),
        )
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
            or_(
                and_(Request.submitted_at >= period.begins, Request.submitted_at < period.until),
                and_(
                    Request.state.in_(TO_NOTHING),
                    Request.closed_at >= period.begins,
                    Request.closed_at < period.until,
                ),
            ),
            asked.scope.condition(),
        )
        .order_by(Request.id, Stage.id)
    )
    # Two parts of one stage may have refused at the same time; that is one request.
    return list({row.id: row for row in rows}.values())


def _requests(asked: Asked, made: Sequence[Any]) -> Chart:
    parts = asked.period.parts()
    starts = [first for first, _name in parts]
    submitted: Counter[int] = Counter()
    done: Counter[int] = Counter()
    for row in made:
        day = row.submitted_at.astimezone(asked.period.zone).date()
        place = max(at for at, start in enumerate(starts) if start <= day)
        submitted[place] += 1
        done[place] += row.fulfilled_at is not None
    finding = _("Nobody submitted a request in this period.")
    if made:
        finding = ngettext(
            "%(count)s request was submitted; %(done)s was carried out since.",
            "%(count)s requests were submitted; %(done)s of them were carried out since.",
            len(made),
            count=number(len(made)),
            done=number(done.total()),
        )
    places = range(len(parts))
    return lines(
        "requests",
        _("Requests over time"),
        finding,
        [name for _first, name in parts],
        (
            Line(_("Submitted"), tuple(submitted[at] for at in places) if made else (None,) * len(parts)),
            Line(_("Carried out since"), tuple(done[at] for at in places) if made else (None,) * len(parts)),
        ),
        label=_("From"),
    )
