"""Timeliness: promises kept and missed by unit and offering, and how long each stage kept a request waiting.

Waiting is counted in working time: by the calendar that the service's version names, in the zone and with the
holidays of the unit that the request was made for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageState
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.working_hours import calendar_of
from portal.core.calendar import WorkingCalendar
from portal.core.language import kept
from portal.identity.model import Unit
from portal.identity.unit_settings import UnitSettings
from reports.audits.document import RowPart
from reports.audits.scope import Member, Scope, chunks
from reports.audits.sections.shapes import (
    rank,
)
from reports.evidence.terms import Count, Kept, Part

_ENDED = (StageState.APPROVED, StageState.REJECTED)
#: What is not a stage of approval: from the last approval to the end of the work.
WORK = "fulfilment"


class PromiseLine(Part):
    """What became of the promises of one unit or offering; requests without a promise are in `none`."""

    slug: str
    kept: Count
    missed: Count
    open: Count
    none: Count


class WaitLine(Part):
    """How long one stage of one offering took, in working minutes; `late` are those that ended after they were due.

    The stage `fulfilment` is the work itself, from the last approval to its end, which has no time of its own.
    """

    offering: str
    stage: str
    name: Kept
    count: Count
    median: Count
    ninetieth: Count
    longest: Count
    late: Count


class Facts(Part):
    """All of it."""

    units: tuple[PromiseLine, ...]
    offerings: tuple[PromiseLine, ...]
    waits: tuple[WaitLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """One statement for each five hundred requests, beside those for units and versions."""
    rows = [member.row for member in scope.members]
    return Facts(
        units=_promises((row.unit, row) for row in rows),
        offerings=_promises((row.offering, row) for row in rows),
        waits=_waits(session, scope),
    )


def _promises(named: Iterable[tuple[str, RowPart]]) -> tuple[PromiseLine, ...]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for slug, row in named:
        counts[slug][row.promise] += 1
    return tuple(
        PromiseLine(
            slug=slug,
            kept=count["kept"],
            missed=count["missed"],
            open=count["open"],
            none=count["none"],
        )
        for slug, count in sorted(counts.items())
    )


class _Calendars:
    """The calendar of a request, each worked out once."""

    def __init__(self, session: Session, rows: Sequence[RowPart]) -> None:
        self._units = {unit.slug: unit for unit in session.scalars(select(Unit).order_by(Unit.id))}
        self._rules = {}
        for part in chunks(sorted({row.offering_digest for row in rows})):
            for version in session.scalars(select(OfferingVersion).where(OfferingVersion.digest.in_(part))):
                self._rules[version.digest] = document_of(version).calendar
        self._known: dict[tuple[str, str], WorkingCalendar] = {}

    def of(self, row: RowPart) -> WorkingCalendar:
        key = (row.offering_digest, row.unit)
        if key not in self._known:
            unit = self._units[row.unit]
            self._known[key] = calendar_of(
                self._rules[row.offering_digest],
                unit.timezone,
                unit.country,
                unit=UnitSettings.from_json(unit.settings),
            )
        return self._known[key]


def _waits(session: Session, scope: Scope) -> tuple[WaitLine, ...]:
    calendars = _Calendars(session, [member.row for member in scope.members])
    minutes: dict[tuple[str, str], list[int]] = defaultdict(list)
    late: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], str] = {}
    for member, slug, name, opened, due, closed in _stages(session, scope):
        key = (member.row.offering, slug)
        # The name of the latest request that had the stage: a stage may be renamed by a newer version.
        names[key] = name
        minutes[key].append(calendars.of(member.row).minutes_between(opened, closed))
        late[key] += due is not None and closed > due
    for member in scope.members:
        row = member.row
        if row.decided_at and row.fulfilled_at:
            begun, done = datetime.fromisoformat(row.decided_at), datetime.fromisoformat(row.fulfilled_at)
            minutes[row.offering, WORK].append(calendars.of(row).minutes_between(begun, done))
    lines = []
    for (offering, stage), taken in sorted(minutes.items()):
        taken.sort()
        lines.append(
            WaitLine(
                offering=offering,
                stage=stage,
                name=kept(names.get((offering, stage), "")),
                count=len(taken),
                median=rank(taken, 50) or 0,
                ninetieth=rank(taken, 90) or 0,
                longest=taken[-1],
                late=late[offering, stage],
            )
        )
    return tuple(lines)


def _stages(
    session: Session, scope: Scope
) -> Iterator[tuple[Member, str, str, datetime, datetime | None, datetime]]:
    """Every stage that was decided by the time of the report, in the order of the requests."""
    for part in chunks(scope.members):
        members = {member.request_id: member for member in part}
        statement = (
            select(Stage.request_id, Stage.slug, Stage.name, Stage.opened_at, Stage.due_at, Stage.closed_at)
            .where(
                Stage.request_id.in_(members),
                Stage.state.in_(_ENDED),
                Stage.opened_at.is_not(None),
                Stage.closed_at <= scope.as_of,
            )
            .order_by(Stage.request_id, Stage.id)
        )
        for number, slug, name, opened, due, closed in session.execute(statement):
            if opened is not None and closed is not None:
                yield members[number], slug, name, opened, due, closed
