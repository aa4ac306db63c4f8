"""What can be chosen when an audit is ordered: periods that are over, units, offerings, controls; and who sees which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from portal.identity.actor import Actor
from portal.identity.model import Unit

#: The year's last month, and the months of a quarter.
_DECEMBER, _QUARTER = 12, 3


@dataclass(frozen=True, slots=True)
class Choices:
    """Names by slug, units with the one above; controls as "framework identifier". Each in the order of its names."""

    units: dict[str, str]
    above: dict[str, str | None]
    offerings: dict[str, str]
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included."""

    first_day: date
    last_day: date


def choices_of(session: Session) -> Choices:
    """Every unit, every offering that was ever published, every control that one of their versions supports."""
    rows = session.execute(
        select(Unit.id, Unit.slug, Unit.name, Unit.parent_id).order_by(Unit.name, Unit.id)
    ).all()
    slugs = {row.id: row.slug for row in rows}
    versions = session.execute(
        select(
            Offering.slug,
            OfferingVersion.digest,
            OfferingVersion.document["name"].as_string().label("name"),
            OfferingVersion.document["controls"].label("controls"),
        )
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .order_by(Offering.slug, OfferingVersion.number)
    ).all()
    newest = {row.slug: row for row in versions}
    called = names_of(session, [(row.digest, row.name) for row in newest.values()])
    names = {slug: called[row.digest] for slug, row in newest.items()}
    controls = {
        f"{framework} {name}"
        for row in versions
        for framework, found in (row.controls or {}).items()
        for name in found
    }
    return Choices(
        units={row.slug: row.name for row in rows},
        above={row.slug: slugs.get(row.parent_id) for row in rows},
        offerings=dict(sorted(names.items(), key=lambda item: (item[1].casefold(), item[0]))),
        controls=tuple(sorted(controls)),
    )


def with_those_below(choices: Choices, chosen: Iterable[str]) -> tuple[str, ...]:
    """The units and every unit below them, sorted; nothing stays nothing."""
    found = set(chosen)
    while True:
        more = {slug for slug, above in choices.above.items() if above in found} - found
        if not more:
            return tuple(sorted(found))
        found |= more


def zone_of(session: Session) -> str:
    """The organisation's time zone (IANA): that of its topmost unit."""
    statement = select(Unit.timezone).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)
    return session.scalar(statement) or "UTC"


def units_seen_by(session: Session, actor: Actor) -> frozenset[str] | None:
    """The slugs of the units that the reader's account is limited to; None for one that is not limited.

    An audit is shown to a limited account only if it looks at nothing else and shows nothing else of the ledger.
    """
    scope = actor.audit
    if scope is None or not scope.limited:
        return None
    if scope.unit_slugs is not None:
        return scope.unit_slugs
    return frozenset(session.scalars(select(Unit.slug)))


def periods_at(at: datetime, zone: str) -> dict[str, Period]:
    """The last whole `month`, `quarter` and `year` before this moment, and the month until `now`, in the zone."""
    today = at.astimezone(ZoneInfo(zone)).date()
    month_ends = today.replace(day=1) - timedelta(days=1)
    quarter_begins = today.replace(month=(today.month - 1) // _QUARTER * _QUARTER + 1, day=1)
    quarter_ends = quarter_begins - timedelta(days=1)
    return {
        "month": Period(month_ends.replace(day=1), month_ends),
        "quarter": Period(quarter_ends.replace(month=quarter_ends.month - _QUARTER + 1, day=1), quarter_ends),
        "year": Period(date(today.year - 1, 1, 1), date(today.year - 1, _DECEMBER, 31)),
        "now": Period(today.replace(day=1), today),
    }
