"""Duty: who is on it in a rota now, and who will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from portal.identity.model import Person
from portal.identity.rotas.model import Rota, RotaShift

#: Whoever is first on duty later than this is not among a rota's people yet.
AHEAD = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Duty:
    """One active person of a rota. `now` says whether they are on duty at the moment that was asked for."""

    rota: str
    rota_name: str
    person: Person
    now: bool


def duties(
    session: Session, slugs: Sequence[str] | None, *, at: datetime, since: datetime | None = None
) -> tuple[Duty, ...]:
    """Everybody on duty in these rotas, or in all, `at` this moment (UTC) and in the five weeks after it, once for each rota.

    Those on duty come first, then by when their next duty begins. With `since`, those whose duty ended after that
    moment are among them. One statement.
    """
    rows = session.execute(
        select(Rota.slug, Rota.name, Person, RotaShift.starts_at, RotaShift.ends_at)
        .select_from(RotaShift)
        .join(Rota, Rota.id == RotaShift.rota_id)
        .join(Person, Person.id == RotaShift.person_id)
        .where(
            Rota.slug.in_(slugs) if slugs is not None else true(),
            RotaShift.ends_at > min(at, since or at),
            RotaShift.starts_at <= at + AHEAD,
            Person.active,
        )
        .order_by(Rota.slug, RotaShift.starts_at, Person.name, Person.id)
    )
    found: dict[tuple[str, int], Duty] = {}
    for slug, name, person, starts_at, ends_at in rows:
        key = (slug, person.id)
        on_duty = starts_at <= at < ends_at
        if key not in found or (on_duty and not found[key].now):
            found[key] = Duty(slug, name, person, on_duty)
    return tuple(sorted(found.values(), key=lambda duty: (duty.rota, not duty.now)))
