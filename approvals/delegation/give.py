"""Giving a delegation: for some days, for all offerings or some, to one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.delegation import tags
from approvals.delegation.model import DelegatedOffering, Delegation
from approvals.delegation.telling import tell_given
from catalog.offerings.facts import person_facts
from catalog.offerings.form_context import Directory, FormContext
from catalog.offerings.kinds import find_person
from catalog.offerings.queries import published_versions
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors, Forbidden
from portal.core.language import _
from portal.core.settings import Settings
from portal.core.times import day
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.step_up import StepUp

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed. `offerings` are slugs; empty with `every` for all of them."""

    substitute: str
    first_day: date | None
    last_day: date | None
    every: bool
    offerings: tuple[str, ...] = ()


def give(session: Session, actor: Actor, wish: Wish, *, settings: Settings) -> Delegation:
    """Let somebody decide in the actor's place, and tell both. Raises FieldErrors with everything that is wrong.

    It gives away every decision of those days, so it takes a sign-in as fresh as for a high risk; else StepUpNeeded.

    Days are the actor's own, in their zone. Nobody delegates the same offering to two people on the same day.
    """
    if actor.person_id is None:
        raise Forbidden(_("Only people delegate."))
    # Locked, so that two forms sent at once do not overlap.
    delegator = session.scalars(select(Person).where(Person.id == actor.person_id).with_for_update()).one()
    at = now(session)
    zone = ZoneInfo(delegator.timezone)
    errors: list[FieldError] = []
    substitute = _substitute(session, delegator, wish.substitute, at.astimezone(zone).date(), errors)
    days = _days(wish, at.astimezone(zone).date(), errors)
    offerings = _offerings(session, wish, errors)
    if days is not None:
        _alone(session, delegator, days, frozenset(offerings), errors)
    if errors or substitute is None or days is None:
        _refuse(errors)
    auth_time = StepUp.of(settings).check(actor, risk="high", acr="", at=at)
    first, last = days
    delegation = Delegation(
        delegator_id=delegator.id,
        substitute_id=substitute.id,
        first_day=first,
        last_day=last,
        begins_at=max(at, _midnight(first, zone)),
        ends_at=_midnight(last + timedelta(days=1), zone),
        every_offering=wish.every,
        created_at=at,
    )
    session.add(delegation)
    session.flush()
    session.add_all(DelegatedOffering(delegation_id=delegation.id, slug=slug) for slug in offerings)
    record(
        session,
        tags.GIVEN,
        subject=f"person:{delegator.id}",
        actor=actor,
        facts={
            "delegation": delegation.id,
            "substitute": f"person:{substitute.id}",
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "offerings": sorted(offerings) if offerings else "all",
            "auth_time": auth_time.isoformat(),
            "acr": actor.acr,
            "amr": list(actor.amr),
        },
    )
    tell_given(session, delegation, delegator, substitute, offerings)
    return delegation


def _substitute(
    session: Session, delegator: Person, text: str, today: date, errors: list[FieldError]
) -> Person | None:
    context = FormContext(actor=person_facts(delegator), today=today, people=Directory(session))
    if not text.strip():
        errors.append(FieldError("substitute", _("Say who decides in your place.")))
        return None
    try:
        found = find_person(text, context)
    except ValueError as error:
        errors.append(FieldError("substitute", str(error)))
        return None
    if found.user_name == delegator.user_name:
        errors.append(FieldError("substitute", _("Name somebody else than yourself.")))
        return None
    return session.scalars(select(Person).where(Person.user_name == found.user_name)).one()


def _days(wish: Wish, today: date, errors: list[FieldError]) -> tuple[date, date] | None:
    first, last = wish.first_day, wish.last_day
    if first is None:
        errors.append(FieldError("first_day", _("Enter the first day.")))
    elif first < today:
        errors.append(FieldError("first_day", _("The first day is today or later.")))
    if last is None:
        errors.append(FieldError("last_day", _("Enter the last day.")))
    if first is None or last is None:
        return None
    if last < first:
        errors.append(FieldError("last_day", _("The last day is not before the first.")))
        return None
    if last - first >= LONGEST:
        errors.append(FieldError("last_day", _("A delegation is for a year at most.")))
        return None
    return first, last


def _offerings(session: Session, wish: Wish, errors: list[FieldError]) -> tuple[str, ...]:
    if wish.every:
        return ()
    known = {version.offering.slug for version in published_versions(session)}
    if not wish.offerings:
        errors.append(FieldError("offerings", _("Choose at least one service, or delegate all of them.")))
    elif not known.issuperset(wish.offerings):
        errors.append(FieldError("offerings", _("One of these services is not in the catalogue.")))
    return tuple(dict.fromkeys(wish.offerings))


def _alone(
    session: Session,
    delegator: Person,
    days: tuple[date, date],
    offerings: frozenset[str],
    errors: list[FieldError],
) -> None:
    """Nothing else that the person has delegated touches the same offering on the same day."""
    zone = ZoneInfo(delegator.timezone)
    rows = session.execute(
        select(Delegation, DelegatedOffering.slug, Person.name)
        .join(Person, Person.id == Delegation.substitute_id)
        .outerjoin(DelegatedOffering, DelegatedOffering.delegation_id == Delegation.id)
        .where(
            Delegation.delegator_id == delegator.id,
            Delegation.begins_at < Delegation.ends_at,
            Delegation.begins_at < _midnight(days[1] + timedelta(days=1), zone),
            Delegation.ends_at > max(now(session), _midnight(days[0], zone)),
        )
        .order_by(Delegation.id)
    )
    for other, slug, name in rows:
        if other.every_offering or not offerings or slug in offerings:
            errors.append(
                FieldError(
                    "first_day",
                    _(
                        "You have delegated this to %(name)s already, from %(first)s to %(last)s. End that first, "
                        "or choose other days.",
                        name=name,
                        first=day(other.first_day),
                        last=day(other.last_day),
                    ),
                )
            )
            return


def _midnight(when: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(when, time(0), tzinfo=zone).astimezone(UTC)


def _refuse(errors: Sequence[FieldError]) -> NoReturn:
    raise FieldErrors(tuple(errors))
