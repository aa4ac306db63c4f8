"""Where requests rest now, and how much waits for each approver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.states import CLOSED, State
from portal.core.language import N_, _, ngettext
from portal.core.times import day_short, number, relative
from portal.identity.model import Person
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart, Table
from reports.charts.distribution import distribution
from reports.figures.sheet import MOST_BARS, Asked, Sheet

PORTAL, REQUESTER, APPROVERS, WINDOW, HANDS, TARGETS, OPERATORS = (
    "portal", "requester", "approvers", "window", "hands", "targets", "operators"
)  # fmt: skip
_PARTIES: Mapping[str, str] = {
    APPROVERS: N_("The approvers"),
    REQUESTER: N_("The requester, who was asked something"),
    HANDS: N_("People who carry it out by hand"),
    WINDOW: N_("The start or the change window"),
    TARGETS: N_("Countersign and the targets, carrying it out"),
    OPERATORS: N_("The operators, after a failure"),
    PORTAL: N_("Countersign, preparing it"),
}
#: Behind a figure about people who are not named stand at least so many of them.
FEWEST_PEOPLE = 5
_BINS: tuple[tuple[int, str], ...] = (
    (0, N_("none")), (2, N_("1 or 2")), (5, N_("3 to 5")), (10, N_("6 to 10")), (20, N_("11 to 20"))
)  # fmt: skip


def resting(session: Session, asked: Asked) -> Sheet:
    """Two statements."""
    return Sheet(
        counted=(
            _(
                "Batons and open approvals are those of this moment, whatever the period. Decisions are those of the period."
            ),
        ),
        charts=(_batons(session, asked), *_load(session, asked)),
        beside={},
    )


def _batons(session: Session, asked: Asked) -> Chart:
    by_hand = exists().where(ManualTask.request_id == Request.id, ManualTask.state == ManualState.OPEN)
    party = case(
        (Request.state == State.PREPARING, literal(PORTAL)),
        (and_(Request.state == State.PENDING, Request.paused_since.is_not(None)), literal(REQUESTER)),
        (Request.state == State.PENDING, literal(APPROVERS)),
        (Request.state == State.SCHEDULED, literal(WINDOW)),
        (Request.state == State.FAILED, literal(OPERATORS)),
        (by_hand, literal(HANDS)),
        else_=literal(TARGETS),
    )
    waiting = (
        select(
            party.label("party"),
            func.coalesce(Request.baton_since, Request.submitted_at).label("since"),
            case((Request.baton_due < asked.at, 1), else_=0).label("late"),
        )
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(Request.state.not_in((*CLOSED, State.FULFILLED)), asked.scope.condition())
        .subquery()
    )
    rows = session.execute(
        select(
            waiting.c.party, func.count().label("number"), func.min(waiting.c.since), func.sum(waiting.c.late)
        ).group_by(waiting.c.party)
    ).all()
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    total = sum(row[1] for row in ordered)
    finding = _("No request is under way.")
    if ordered:
        first, oldest = ordered[0], min(ordered, key=lambda row: row[2])
        finding = ngettext(
            "%(count)s request is under way. It rests with: %(who)s. It has rested there since %(since)s.",
            "%(count)s requests are under way. Most rest with: %(who)s. The oldest has rested since %(since)s, with: %(where)s.",
            total,
            count=number(total),
            who=_(_PARTIES[first[0]]),
            where=_(_PARTIES[oldest[0]]),
            since=day_short(oldest[2].astimezone(asked.period.zone)),
        )
    return bars(
        "batons",
        _("Where batons rest"),
        finding,
        [Amount(_(_PARTIES[party]), count) for party, count, _since, _late in ordered],
        measured=_("Requests"),
        table=Table(
            (_("Who must act"), (_("Requests"), "number"), (_("Past their time"), "number"), _("Oldest")),
            tuple(
                (_(_PARTIES[party]), number(count), number(int(late)), relative(since, asked.at))
                for party, count, since, late in ordered
            ),
        ),
    )


def _load(session: Session, asked: Asked) -> tuple[Chart, ...]:
    """By name where the reader may know it, and in classes of people for all others."""
    rows = _approvers(session, asked)
    named = [row for row in rows if asked.scope.everything or row.unit_id in asked.scope.led]
    others = [row for row in rows if not (asked.scope.everything or row.unit_id in asked.scope.led)]
    charts = []
    if named or not others:
        charts.append(_by_name(named))
    if others:
        charts.append(_in_classes(others))
    return tuple(charts)


def _approvers(session: Session, asked: Asked) -> Sequence[Any]:
    decided_already = exists().where(
        Decision.request_id == Stage.request_id,
        Decision.revision == Stage.revision,
        or_(
            Decision.person_id == StageApprover.person_id, Decision.on_behalf_of_id == StageApprover.person_id
        ),
    )
    waiting = (
        select(StageApprover.person_id.label("person"), literal(1).label("open"), literal(0).label("decided"))
        .join(Stage, Stage.id == StageApprover.stage_id)
        .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(
            Stage.state == StageState.OPEN,
            Request.state == State.PENDING,
            StageApprover.replaced_at.is_(None),
            StageApprover.called,
            ~decided_already,
            asked.scope.condition(),
        )
    )
    decided = (
        select(Decision.person_id, literal(0), literal(1))
        .join(Request, Request.id == Decision.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(
            Decision.decided_at >= asked.period.begins,
            Decision.decided_at < asked.period.until,
            asked.scope.condition(),
        )
    )
    each = union_all(waiting, decided).subquery()
    return session.execute(
        select(
            Person.name,
            Person.unit_id,
            func.sum(each.c.open).label("open"),
            func.sum(each.c.decided).label("decided"),
        )
        .join(each, each.c.person == Person.id)
        .group_by(Person.id, Person.name, Person.unit_id)
        .order_by(func.sum(each.c.open).desc(), func.sum(each.c.decided).desc(), Person.name, Person.id)
    ).all()


def _by_name(rows: Sequence[Any]) -> Chart:
    finding = _("Nobody was asked to approve anything.")
    if rows:
        open_ones = sum(int(row.open) for row in rows)
        finding = ngettext(
            "%(count)s approver; %(open)s approvals wait. Most wait for %(name)s: %(most)s.",
            "%(count)s approvers; %(open)s approvals wait. Most wait for %(name)s: %(most)s.",
            len(rows),
            count=number(len(rows)),
            open=number(open_ones),
            name=rows[0].name,
            most=number(int(rows[0].open)),
        )
    return bars(
        "load",
        _("Load per approver"),
        finding,
        [Amount(row.name, int(row.open)) for row in rows[:MOST_BARS]],
        measured=_("Waiting now"),
        table=Table(
            (_("Approver"), (_("Waiting now"), "number"), (_("Decided in the period"), "number")),
            tuple((row.name, number(int(row.open)), number(int(row.decided))) for row in rows),
        ),
    )


def _in_classes(rows: Sequence[Any]) -> Chart:
    """How many approvers have how much waiting, without names."""
    heading = _("Load of approvers elsewhere")
    if len(rows) < FEWEST_PEOPLE:
        finding = _(
            "Fewer than %(fewest)s approvers: nothing is shown of people whom you may not see by name.",
            fewest=FEWEST_PEOPLE,
        )
        return distribution("load-elsewhere", heading, finding, (), measured=_("Approvers"))
    found: Counter[int] = Counter(
        next((at for at, (most, _name) in enumerate(_BINS) if int(row.open) <= most), len(_BINS))
        for row in rows
    )
    names = [*(_(name) for _most, name in _BINS), _("over 20")]
    return distribution(
        "load-elsewhere",
        heading,
        _(
            "%(number)s approvers outside your units; %(open)s approvals wait for them. Columns say how many approvers have so many waiting.",
            number=number(len(rows)),
            open=number(sum(int(row.open) for row in rows)),
        ),
        [Amount(name, found[at]) for at, name in enumerate(names)],
        measured=_("Approvers"),
        label=_("Waiting now"),
    )
