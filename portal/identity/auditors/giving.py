"""Giving, changing and ending an auditor's mandate, by administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.events import publish
from portal.core.language import _
from portal.identity.actor import PORTAL, Actor
from portal.identity.auditors.model import AuditorMandate
from portal.identity.auditors.reading import last_mandate, zone_of
from portal.identity.events import MandateChanged, MandateEnded, MandateGiven
from portal.identity.model import Group, Membership, Person, Unit
from portal.identity.permissions import AUDITOR, Permission

LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a mandate is to say. Days are the organisation's, both ends included; empty tuples and None are all."""

    first_day: date
    last_day: date
    units: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


def give_mandate(session: Session, actor: Actor, user_name: str, wish: Wish) -> AuditorMandate:
    """Make the person's account an auditor's: it reads what the mandate says, when it says, and nothing else.

    Raises FieldError; Forbidden for others than administrators; Conflict where a mandate has not ended.
    """
    _require(actor)
    statement = select(Person).where(Person.user_name == user_name.strip(), Person.active).with_for_update()
    person = session.scalars(statement).one_or_none()
    if person is None:
        raise FieldError("person", _("Nobody active has this user name."))
    _check_that_nothing_else(session, actor, person)
    before = last_mandate(session, person.id)
    if before is not None and before.ended_at is None and before.ends_at > now(session):
        raise Conflict(_("%(person)s has a mandate. Change it, or end it first.", person=person.name))
    mandate = AuditorMandate(person_id=person.id, given_by_id=actor.person_id, given_at=now(session))
    _write(session, mandate, wish)
    if mandate.ends_at <= now(session):
        raise FieldError("last_day", _("Give a last day that is not over."))
    session.add(mandate)
    session.flush()
    publish(session, MandateGiven(actor, *_told(mandate)))
    return mandate


def change_mandate(session: Session, actor: Actor, mandate_id: int, wish: Wish) -> AuditorMandate:
    """Say other days or another scope. Raises FieldError, Forbidden, NotFound, Conflict for one that was ended."""
    _require(actor)
    mandate = _locked(session, mandate_id)
    before = _told(mandate)
    _write(session, mandate, wish)
    if _told(mandate) != before:
        publish(session, MandateChanged(actor, *_told(mandate)))
    return mandate


def end_mandate(session: Session, actor: Actor, mandate_id: int) -> AuditorMandate:
    """End it now: the account sees nothing from here on. Raises Forbidden, NotFound, Conflict."""
    _require(actor)
    mandate = _locked(session, mandate_id)
    mandate.ended_at = now(session)
    publish(session, MandateEnded(actor, mandate.id, mandate.person_id, mandate.ended_at))
    return mandate


def _require(actor: Actor) -> None:
    if actor is not PORTAL and not actor.may(Permission.APPOINT_AUDITORS):
        raise Forbidden(_("Only administrators say who audits."))


def _locked(session: Session, mandate_id: int) -> AuditorMandate:
    statement = select(AuditorMandate).where(AuditorMandate.id == mandate_id).with_for_update()
    mandate = session.scalars(statement).one_or_none()
    if mandate is None:
        raise NotFound(_("There is no such mandate."))
    last = last_mandate(session, mandate.person_id)
    if mandate.ended_at is not None or last is None or last.id != mandate.id:
        raise Conflict(_("This mandate has ended. Give another one."))
    return mandate


def _check_that_nothing_else(session: Session, actor: Actor, person: Person) -> None:
    """Whoever audits decides nothing, so the account has no other part in the portal."""
    if person.id == actor.person_id:
        raise FieldError("person", _("Nobody appoints themselves."))
    groups = session.execute(
        select(Group.name, Group.roles)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == person.id)
        .order_by(Group.name)
    )
    others = [name for name, roles in groups if set(roles) != {AUDITOR}]
    heads = session.scalars(select(Unit.name).where(Unit.head_id == person.id).order_by(Unit.name)).all()
    if others or heads:
        raise FieldError(
            "person",
            _(
                "An auditor's account is for auditing alone, and this one has a part in: %(groups)s.",
                groups=", ".join([*others, *heads]),
            ),
        )


def _write(session: Session, mandate: AuditorMandate, wish: Wish) -> None:
    if wish.last_day < wish.first_day:
        raise FieldError("last_day", _("The last day is before the first."))
    if wish.last_day - wish.first_day > LONGEST:
        raise FieldError("last_day", _("A mandate is for three years at most."))
    if wish.since is not None and wish.until is not None and wish.until < wish.since:
        raise FieldError("until", _("The last day is before the first."))
    known = set(session.scalars(select(Unit.slug).where(Unit.slug.in_(wish.units))))
    if missing := sorted(set(wish.units) - known):
        raise FieldError("units", _("There is no unit %(unit)s.", unit=missing[0]))
    zone = zone_of(session)
    mandate.begins_at = _midnight(wish.first_day, zone)
    mandate.ends_at = _midnight(wish.last_day + timedelta(days=1), zone)
    mandate.units = sorted(set(wish.units))
    mandate.offerings = sorted(set(wish.offerings))
    mandate.since = _midnight(wish.since, zone) if wish.since else None
    mandate.until = _midnight(wish.until + timedelta(days=1), zone) if wish.until else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _told(
    mandate: AuditorMandate,
) -> tuple[int, int, datetime, datetime, tuple[str, ...], tuple[str, ...], datetime | None, datetime | None]:
    return (
        mandate.id,
        mandate.person_id,
        mandate.begins_at,
        mandate.ends_at,
        tuple(mandate.units),
        tuple(mandate.offerings),
        mandate.since,
        mandate.until,
    )
