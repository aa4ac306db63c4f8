"""Setting and ending change windows and freezes. Whatever waits is worked out anew after each."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from catalog.changes import tags
from catalog.changes.hours import read_hours
from catalog.changes.model import Kind, Restriction
from catalog.changes.moving import move_soon
from catalog.changes.scopes import chosen_scope, may_end
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden, NotFound
from portal.core.language import _
from portal.core.settings import Settings
from portal.core.text import clean_line
from portal.identity.actor import Actor
from portal.identity.step_up import StepUp

#: How the ledger names what is set here.
SUBJECT = "change-calendar"
MOST = 500
LONGEST_NAME = 200
LONGEST_FREEZE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class WindowWish:
    """A window as it was typed."""

    name: str
    scope: str
    asset: str
    timezone: str
    hours: str


@dataclass(frozen=True, slots=True)
class FreezeWish:
    """A freeze as it was typed, in local time; a day that could not be read is None."""

    reason: str
    scope: str
    asset: str
    timezone: str
    begins_day: date | None
    begins_time: str
    ends_day: date | None
    ends_time: str


def set_window(session: Session, actor: Actor, wish: WindowWish) -> Restriction:
    """Add hours in which changes are carried out. Raises FieldErrors with everything that is wrong."""
    errors: list[FieldError] = []
    name = _name(wish.name, "name", _("Enter what the window is called."), errors)
    zone = _zone(wish.timezone, errors)
    times: tuple[str, ...] = ()
    try:
        times = read_hours(wish.hours)
    except ValueError as error:
        errors.append(FieldError("hours", str(error)))
    return _add(
        session,
        actor,
        Restriction(kind=Kind.WINDOW, name=name, timezone=zone, times=list(times)),
        (wish.scope, wish.asset),
        errors,
    )


def set_freeze(session: Session, actor: Actor, wish: FreezeWish, *, settings: Settings) -> Restriction:
    """Add a time in which nothing is carried out. It stops everybody's changes, so it takes a fresh sign-in.

    Raises FieldErrors with everything that is wrong, StepUpNeeded.
    """
    errors: list[FieldError] = []
    reason = _name(wish.reason, "reason", _("Enter why nothing is to be changed."), errors)
    zone = _zone(wish.timezone, errors)
    # An hour that comes twice when daylight saving ends lies within the freeze both times.
    begins = _moment(wish.begins_day, wish.begins_time, zone, "begins", errors, fold=0)
    ends = _moment(wish.ends_day, wish.ends_time, zone, "ends", errors, fold=1)
    if begins is not None and ends is not None:
        if ends <= begins:
            errors.append(FieldError("ends_day", _("A freeze ends after it has begun.")))
        elif ends <= now(session):
            errors.append(FieldError("ends_day", _("This is over already.")))
        elif ends - begins > LONGEST_FREEZE:
            errors.append(FieldError("ends_day", _("A freeze lasts a year at most.")))
    freeze = Restriction(kind=Kind.FREEZE, name=reason, timezone=zone, begins_at=begins, ends_at=ends)
    return _add(session, actor, freeze, (wish.scope, wish.asset), errors, settings=settings)


def end_restriction(session: Session, actor: Actor, number: int, *, settings: Settings) -> Restriction:
    """End a window or lift a freeze. Raises NotFound, Forbidden, Conflict when it has ended, StepUpNeeded for a freeze."""
    restriction = session.scalars(
        select(Restriction)
        .where(Restriction.id == number)
        .options(joinedload(Restriction.offering), joinedload(Restriction.unit))
        .with_for_update(of=Restriction)
    ).one_or_none()
    if restriction is None:
        raise NotFound(_("There is no such window or freeze."))
    if not may_end(session, actor, restriction):
        raise Forbidden(_("Its owners and the operators may end it."))
    if restriction.ended_at is not None:
        raise Conflict(_("It has ended already."))
    signed = _fresh(session, actor, settings) if restriction.kind is Kind.FREEZE else {}
    restriction.ended_at, restriction.ended_by_id = now(session), actor.person_id
    record(
        session,
        tags.FREEZE_LIFTED if restriction.kind is Kind.FREEZE else tags.WINDOW_ENDED,
        subject=SUBJECT,
        actor=actor,
        facts={"number": restriction.id, **signed},
    )
    move_soon(session, f"ended:{restriction.id}")
    return restriction


def _add(
    session: Session,
    actor: Actor,
    restriction: Restriction,
    scope: tuple[str, str],
    errors: list[FieldError],
    *,
    settings: Settings | None = None,
) -> Restriction:
    if actor.person_id is None:
        raise Forbidden(_("Only people set windows and freezes."))
    try:
        chosen = chosen_scope(session, actor, *scope)
    except FieldError as error:
        errors.append(error)
    if not errors and _in_force(session) >= MOST:
        errors.append(FieldError("scope", _("There are %(number)s in force; end one first.", number=MOST)))
    if errors:
        raise FieldErrors(tuple(errors))
    # Last, so that nobody is sent to sign in for what could not be set.
    signed = _fresh(session, actor, settings) if settings is not None else {}
    restriction.scope = chosen.scope
    restriction.offering_id, restriction.unit_id = chosen.offering_id, chosen.unit_id
    restriction.asset_id = chosen.asset_id
    restriction.set_by_id, restriction.set_at = actor.person_id, now(session)
    session.add(restriction)
    session.flush()
    record(
        session,
        tags.FREEZE_SET if restriction.kind is Kind.FREEZE else tags.WINDOW_SET,
        subject=SUBJECT,
        actor=actor,
        facts={
            "number": restriction.id,
            "scope": chosen.called,
            "timezone": restriction.timezone,
            **({"times": list(restriction.times)} if restriction.times else {}),
            **(
                {"from": restriction.begins_at.isoformat(), "until": restriction.ends_at.isoformat()}
                if restriction.begins_at and restriction.ends_at
                else {}
            ),
            **signed,
        },
        personal={"name": restriction.name},
    )
    move_soon(session, f"set:{restriction.id}")
    return restriction


def _fresh(session: Session, actor: Actor, settings: Settings) -> dict[str, object]:
    auth_time = StepUp.of(settings).check(actor, risk="high", acr="", at=now(session))
    return {"auth_time": auth_time.isoformat(), "acr": actor.acr, "amr": list(actor.amr)}


def _in_force(session: Session) -> int:
    at = now(session)
    statement = select(func.count()).where(
        Restriction.ended_at.is_(None), Restriction.ends_at.is_(None) | (Restriction.ends_at > at)
    )
    return session.scalar(statement) or 0


def _name(text: str, field: str, missing: str, errors: list[FieldError]) -> str:
    try:
        name = clean_line(text)
    except ValueError as error:
        errors.append(FieldError(field, f"{error}."))
        return ""
    if not name:
        errors.append(FieldError(field, missing))
    elif len(name) > LONGEST_NAME:
        errors.append(FieldError(field, _("Shorten this to %(number)s characters.", number=LONGEST_NAME)))
    return name


def _zone(text: str, errors: list[FieldError]) -> str:
    zone = text.strip()
    if zone not in time_zones():
        errors.append(FieldError("timezone", _("Enter a time zone such as Europe/Berlin.")))
        return "UTC"
    return zone


def _moment(
    day: date | None, clock: str, zone: str, part: str, errors: list[FieldError], *, fold: int
) -> datetime | None:
    if day is None:
        missing = (
            _("Enter the day on which it begins.")
            if part == "begins"
            else _("Enter the day on which it ends.")
        )
        errors.append(FieldError(f"{part}_day", missing))
        return None
    try:
        local = time.fromisoformat(clock.strip())
    except ValueError:
        errors.append(FieldError(f"{part}_time", _("Enter the time like 18:00.")))
        return None
    moment = datetime.combine(day, local.replace(second=0, microsecond=0, tzinfo=None, fold=fold))
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Every zone by its IANA name."""
    return frozenset(zoneinfo.available_timezones())
