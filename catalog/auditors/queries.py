"""Reading mandates for their page, and what their scope can be chosen from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from portal.core.clock import now
from portal.core.errors import FieldError
from portal.core.language import _
from portal.identity.auditors.giving import Wish
from portal.identity.auditors.model import AuditorMandate
from portal.identity.auditors.reading import zone_of
from portal.identity.model import Person, Unit

MOST = 200


class MandateLine(NamedTuple):
    """One account's last mandate. Days are the organisation's; empty texts are all."""

    id: int
    person: str
    user_name: str
    #: running, coming or over
    state: str
    wish: Wish
    units: str
    offerings: str


def mandates(session: Session, *, only: int | None = None) -> Sequence[MandateLine]:
    """The last mandate of each account, the latest first; four statements."""
    last = select(func.max(AuditorMandate.id)).group_by(AuditorMandate.person_id)
    query = (
        select(AuditorMandate, Person.name, Person.user_name)
        .join(Person, Person.id == AuditorMandate.person_id)
        .where(AuditorMandate.id.in_(last))
        .order_by(AuditorMandate.id.desc())
        .limit(MOST)
    )
    if only is not None:
        query = query.where(AuditorMandate.id == only)
    rows = session.execute(query).all()
    zone, at = zone_of(session), now(session)
    units, offerings = dict(units_to_choose(session)), dict(offerings_to_choose(session))

    def day(moment: datetime | None, *, end: bool = False) -> date | None:
        if moment is None:
            return None
        return (moment - timedelta(microseconds=1) if end else moment).astimezone(zone).date()

    lines = []
    for mandate, name, user_name in rows:
        state = "running" if mandate.begins_at <= at < mandate.ends_at else "coming"
        if mandate.ended_at is not None or mandate.ends_at <= at:
            state = "over"
        wish = Wish(
            mandate.begins_at.astimezone(zone).date(),
            (mandate.ends_at - timedelta(microseconds=1)).astimezone(zone).date(),
            tuple(mandate.units),
            tuple(mandate.offerings),
            day(mandate.since),
            day(mandate.until, end=True),
        )
        lines.append(
            MandateLine(
                mandate.id,
                name,
                user_name,
                state,
                wish,
                ", ".join(units.get(slug, slug) for slug in mandate.units),
                ", ".join(offerings.get(slug, slug) for slug in mandate.offerings),
            )
        )
    return lines


def units_to_choose(session: Session) -> Sequence[tuple[str, str]]:
    """Slug and name of every unit, by name; one statement."""
    rows = session.execute(select(Unit.slug, Unit.name).order_by(Unit.name, Unit.id))
    return [(row.slug, row.name) for row in rows]


def offerings_to_choose(session: Session) -> Sequence[tuple[str, str]]:
    """Slug and name of every offering that was ever published, by name in the reader's language."""
    rows = session.execute(
        select(
            Offering.slug, OfferingVersion.digest, OfferingVersion.document["name"].as_string().label("name")
        )
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .order_by(Offering.slug, OfferingVersion.number)
    ).all()
    newest = {row.slug: (row.digest, row.name) for row in rows}
    called = names_of(session, newest.values())
    names = {slug: called[digest] for slug, (digest, _english) in newest.items()}
    return sorted(names.items(), key=lambda item: (item[1].casefold(), item[0]))


def check_offerings(session: Session, wish: Wish) -> Wish:
    """The same wish. Raises FieldError for a service that never was."""
    known = dict(offerings_to_choose(session))
    for slug in wish.offerings:
        if slug not in known:
            raise FieldError("offerings", _("There is no service %(slug)s.", slug=slug))
    return wish
