"""Whose figures a reader sees: compliance all, owners their offerings', who leads units those of their units.

Only compliance and who leads a unit see anybody's name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.route import CalendarRule
from catalog.requests.model import Request
from catalog.requests.working_hours import calendar_of
from portal.core.calendar import WorkingCalendar
from portal.core.errors import Forbidden
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Group, Unit
from portal.identity.permissions import UNIT_LEAD, Permission
from portal.identity.unit_settings import UnitSettings


@dataclass(frozen=True, slots=True)
class Choice:
    """An offering or a unit by which figures can be narrowed."""

    number: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What the reader may see figures of, narrowed to what they chose."""

    everything: bool
    #: Names by number, of all that there are: figures of a unit's requests name every offering that they are of.
    offerings: Mapping[int, str]
    units: Mapping[int, str]
    calendars: Mapping[int, WorkingCalendar]
    owned: frozenset[int]
    led: frozenset[int]
    #: What the reader may narrow them to, and what they chose; None is everything in their scope.
    offering_choices: tuple[Choice, ...]
    unit_choices: tuple[Choice, ...]
    offering: Choice | None
    #: The unit, and those below it.
    unit: Choice | None
    within: frozenset[int]

    def condition(self) -> ColumnElement[bool]:
        """For a statement that joins requests with the versions of their offerings."""
        allowed: ColumnElement[bool] = true()
        if not self.everything:
            allowed = or_(OfferingVersion.offering_id.in_(self.owned), Request.unit_id.in_(self.led))
        if self.offering is not None:
            allowed &= OfferingVersion.offering_id == self.offering.number
        if self.unit is not None:
            allowed &= Request.unit_id.in_(self.within)
        return allowed

    @property
    def query(self) -> dict[str, str]:
        """As an address has it."""
        chosen = {"offering": self.offering, "unit": self.unit}
        return {name: choice.slug for name, choice in chosen.items() if choice is not None}


def scope_of(session: Session, actor: Actor, *, offering: str = "", unit: str = "") -> Scope:
    """The reader's scope, narrowed to an offering and a unit by their slugs where these are in it.

    Two statements, one more where offerings have names of other languages. Raises Forbidden for whoever answers
    for nothing.
    """
    everything = actor.may(Permission.READ_FIGURES)
    offerings = _offerings(session)
    units = session.execute(
        select(
            Unit.id,
            Unit.slug,
            Unit.name,
            Unit.parent_id,
            Unit.head_id,
            Unit.timezone,
            Unit.country,
            Unit.settings,
        ).order_by(Unit.name, Unit.id)
    ).all()
    # Who keeps the catalogue answers for all of it; an offering's own group for that one.
    keeps = actor.may(Permission.WRITE_OFFERINGS)
    owned = frozenset(row.id for row in offerings if keeps or row.group_id in actor.group_ids)
    led = _led(actor, units)
    if not (everything or owned or led):
        raise Forbidden(
            _("Figures are for compliance, for the owners of offerings and for those who lead a unit.")
        )
    called = names_of(session, ((row.digest, row.name) for row in offerings))
    names = _apart({row.id: called[row.digest] for row in offerings}, {row.id: row.slug for row in offerings})
    # Somebody who owns an offering may look at any unit's requests of it, and who leads a unit at any offering there.
    offering_choices = tuple(
        sorted(
            (
                Choice(row.id, row.slug, names[row.id])
                for row in offerings
                if everything or led or row.id in owned
            ),
            key=lambda choice: choice.name.casefold(),
        )
    )
    unit_choices = tuple(
        Choice(row.id, row.slug, row.name) for row in units if everything or owned or row.id in led
    )
    chosen = next((choice for choice in unit_choices if choice.slug == unit), None)
    return Scope(
        everything=everything,
        offerings=names,
        units=_apart({row.id: row.name for row in units}, {row.id: row.slug for row in units}),
        calendars={row.id: _calendar(row) for row in units},
        owned=owned,
        led=led,
        offering_choices=offering_choices,
        unit_choices=unit_choices,
        offering=next((choice for choice in offering_choices if choice.slug == offering), None),
        unit=chosen,
        within=_with_below((chosen.number,), units) if chosen else frozenset(),
    )


def _offerings(session: Session) -> Sequence[Row[Any]]:
    """Each offering by its newest version, and the group that answers for it."""
    later = aliased(OfferingVersion)
    newest = (
        select(func.max(later.number))
        .where(later.offering_id == Offering.id)
        .correlate(Offering)
        .scalar_subquery()
    )
    document = OfferingVersion.document
    return session.execute(
        select(
            Offering.id,
            Offering.slug,
            OfferingVersion.digest,
            document["name"].as_string().label("name"),
            Group.id.label("group_id"),
        )
        .join(OfferingVersion, OfferingVersion.offering_id == Offering.id)
        .outerjoin(Group, Group.slug == document["owner"].as_string())
        .where(OfferingVersion.number == newest)
        .order_by(Offering.id)
    ).all()


def _led(actor: Actor, units: Sequence[Row[Any]]) -> frozenset[int]:
    """As `catalog.ordering.units.queries.units_led_by`, from units that were read already."""
    if actor.person_id is None or not actor.may(Permission.READ_UNIT_REQUESTS):
        return frozenset()
    heads = [row.id for row in units if row.head_id == actor.person_id]
    # Who heads no unit has the role from a group, for their own unit.
    given = [actor.unit_id] if UNIT_LEAD in actor.roles and not heads and actor.unit_id is not None else []
    return _with_below((*heads, *given), units)


def _with_below(above: Iterable[int], units: Sequence[Row[Any]]) -> frozenset[int]:
    below: dict[int | None, list[int]] = defaultdict(list)
    for row in units:
        below[row.parent_id].append(row.id)
    reached: set[int] = set()
    waiting = list(above)
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting += below[number]
    return frozenset(reached)


def _apart(names: Mapping[int, str], slugs: Mapping[int, str]) -> dict[int, str]:
    """The names, with the slug behind one that several share: figures are kept apart by them."""
    shared = Counter(names.values())
    return {
        number: f"{name} ({slugs[number]})" if shared[name] > 1 else name for number, name in names.items()
    }


def _calendar(unit: Row[Any]) -> WorkingCalendar:
    return calendar_of(
        CalendarRule(), unit.timezone, unit.country, unit=UnitSettings.from_json(unit.settings)
    )
