"""The calendar's page: one week of changes and freezes as its reader may see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.changes.model import Restriction
from catalog.changes.queries import (
    DONE,
    FAILED,
    MOST,
    PLANNED,
    RUNNING,
    STANDINGS,
    ChangeRow,
    Only,
    assets_of,
    changes_between,
    freezes_between,
)
from catalog.changes.seeing import SeesRequests
from catalog.changes.words import freeze_text, scope_text, window_names
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of, published_versions
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.language import N_, _, language
from portal.core.times import clock, weekday
from portal.identity.actor import Actor
from portal.identity.model import Unit

_WEEK = timedelta(days=7)
WORDS: Mapping[str, str] = {
    PLANNED: N_("Planned"),
    RUNNING: N_("Running"),
    DONE: N_("Done"),
    FAILED: N_("Failed"),
}


SHORT_DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as it was typed."""

    week: str = ""
    offering: str = ""
    unit: str = ""
    asset: str = ""
    standing: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """All but the week, without what is empty."""
        given = {
            "offering": self.offering,
            "unit": self.unit,
            "asset": self.asset,
            "standing": self.standing,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `reference` is empty for who may not see the request."""

    time: str
    reference: str
    offering: str
    standing: str
    #: Whether it is approved; what is planned and open may still be refused.
    approved: bool
    assets: tuple[str, ...]
    unit: str
    windows: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week and what is on it."""

    date: date
    label: str
    #: In little space: `Thu 26`.
    short: str
    entries: tuple[Entry, ...]
    today: bool

    @property
    def counts(self) -> Mapping[str, int]:
        """How many changes of each standing."""
        return Counter(entry.standing for entry in self.entries)


@dataclass(frozen=True, slots=True)
class FreezeLine:
    """A freeze that touches the week."""

    reason: str
    scope: str
    when: str
    days: frozenset[date]


@dataclass(frozen=True, slots=True)
class Week:
    """The page. Days and times are in the reader's zone; weeks are ISO 8601's: `2026-W48`."""

    name: str
    previous: str
    next: str
    first: date
    last: date
    days: tuple[Day, ...]
    freezes: tuple[FreezeLine, ...]
    offerings: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]
    asked: Asked
    cut: bool
    zone: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all."""
        return not self.freezes and not any(day.entries for day in self.days)


def week_page(session: Session, actor: Actor, asked: Asked, *, sees: SeesRequests) -> Week:
    """One week of the calendar. Five statements, and two more for those who lead a unit."""
    zone = ZoneInfo(actor.timezone)
    at = now(session).astimezone(zone)
    monday = monday_of(asked.week, at.date())
    first, last = (_midnight(day, zone) for day in (monday, monday + _WEEK))
    units, versions = _choices(session, actor)
    names = {one.offering_id: document_of(one).in_language(language()).name for one in versions}
    only = Only(asked.offering, units_below(units, asked.unit), asset_id_of(asked.asset), asked.standing)
    rows = changes_between(session, actor, first, last, sees=sees, only=only)
    assets = assets_of(session, [row.change.id for row in rows])
    freezes = freezes_between(session, actor, first, last)
    entries = _by_day(rows, assets, names, monday, zone)
    return Week(
        name=week_name(monday),
        previous=week_name(monday - _WEEK),
        next=week_name(monday + _WEEK),
        first=monday,
        last=monday + timedelta(days=6),
        days=tuple(
            Day(day, weekday(day), _short(day), tuple(entries.get(day, ())), today=day == at.date())
            for day in (monday + timedelta(days=number) for number in range(7))
        ),
        freezes=tuple(_freeze_line(one, names, monday, zone) for one in freezes),
        offerings=tuple(
            sorted(
                ((one.offering.slug, names[one.offering_id]) for one in versions), key=lambda pair: pair[1]
            )
        ),
        units=tuple((unit.slug, unit.name) for unit in units),
        asked=asked,
        cut=len(rows) >= MOST,
        zone=actor.timezone,
    )


def _choices(session: Session, actor: Actor) -> tuple[Sequence[Unit], Sequence[OfferingVersion]]:
    """What the list can be narrowed to: of an auditor's account what its scope names; two statements."""
    units = session.scalars(select(Unit).order_by(Unit.name, Unit.id)).all()
    versions: Sequence[OfferingVersion] = published_versions(session)
    scope = actor.audit
    if scope is not None and scope.units is not None:
        units = [unit for unit in units if unit.id in scope.units]
    if scope is not None and scope.offerings is not None:
        versions = [one for one in versions if one.offering.slug in scope.offerings]
    return units, versions


def monday_of(week: str, today: date) -> date:
    """The first day of an ISO week such as `2026-W48`; of this week for anything else."""
    try:
        year, number = week.split("-W")
        monday = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        return today - timedelta(days=today.weekday())
    # The calendar's arithmetic goes some weeks to either side.
    furthest = timedelta(days=366 * 50)
    return monday if abs(monday - today) < furthest else today - timedelta(days=today.weekday())


def week_name(day: date) -> str:
    """`2026-W48` for a day in it."""
    year, number, _day = day.isocalendar()
    return f"{year:04}-W{number:02}"


def units_below(units: Sequence[Unit], slug: str) -> frozenset[int]:
    """The unit of this short name and all below it; nothing for none."""
    found = {unit.id for unit in units if unit.slug == slug}
    grown = bool(found)
    while grown:
        below = {unit.id for unit in units if unit.parent_id in found} - found
        found |= below
        grown = bool(below)
    return frozenset(found)


def asset_id_of(text: str) -> str:
    """The id in what was typed: `APP-004`, or what a form wrote, `Order portal (APP-004)`."""
    text = text.strip()
    return text[text.rindex("(") + 1 : -1] if text.endswith(")") and "(" in text else text


def _by_day(
    rows: Iterable[ChangeRow],
    assets: Mapping[int, Sequence[str]],
    names: Mapping[int, str],
    monday: date,
    zone: ZoneInfo,
) -> dict[date, list[Entry]]:
    found: dict[date, list[Entry]] = {}
    for row in rows:
        shown_at = row.change.shown_at
        if shown_at is None:
            continue
        local = shown_at.astimezone(zone)
        # What began before this week and still runs stands on its first day.
        found.setdefault(max(local.date(), monday), []).append(
            Entry(
                time=_time(row, local, zone),
                reference=row.reference if row.readable else "",
                offering=names.get(row.change.offering_id, row.offering),
                standing=STANDINGS[row.state],
                approved=row.state is not State.PENDING,
                assets=tuple(assets.get(row.change.id, ())),
                unit=row.unit if row.readable else "",
                windows=window_names(row.change),
            )
        )
    return found


def _time(row: ChangeRow, begins: datetime, zone: ZoneInfo) -> str:
    ends = row.change.finished_at
    if ends is None or STANDINGS[row.state] not in {DONE, FAILED}:
        return clock(begins)
    local = ends.astimezone(zone)
    first, last = clock(begins), clock(local)
    return f"{first} \N{EN DASH} {last}" if local.date() == begins.date() and first != last else first


def _freeze_line(restriction: Restriction, names: dict[int, str], monday: date, zone: ZoneInfo) -> FreezeLine:
    begins, ends = restriction.begins_at, restriction.ends_at
    days = (monday + timedelta(days=number) for number in range(7))
    return FreezeLine(
        reason=restriction.name,
        scope=scope_text(restriction, names),
        when=freeze_text(restriction, zone.key),
        days=frozenset(
            day
            for day in days
            if begins is not None
            and ends is not None
            and begins < _midnight(day + timedelta(days=1), zone)
            and ends > _midnight(day, zone)
        ),
    )


def _short(day: date) -> str:
    """`Thu 26`, so that seven of them stand side by side."""
    return _("%(weekday)s %(day)s", weekday=_(SHORT_DAYS[day.weekday()]), day=day.day)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)
