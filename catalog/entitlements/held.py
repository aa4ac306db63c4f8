"""What a person has already, as rules about conflicts read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.offerings.facts import Held
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.model import Request
from portal.identity.model import Person

#: Rules look at so many things of one person at most, the latest first.
MOST = 500
_LONGEST = 300


def held_by(session: Session, user_name: str, *, without: int | None = None) -> Held:
    """Everything live for this person but the entitlement `without`, in one statement."""
    query = (
        select(Entitlement.label, Entitlement.key, Entitlement.facts, Offering.slug)
        .join(Person, Person.id == Entitlement.person_id)
        .join(Request, Request.id == Entitlement.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(
            Person.user_name == user_name,
            Entitlement.state == EntitlementState.LIVE,
            Entitlement.id != (without or 0),
        )
        .order_by(Entitlement.id.desc())
        .limit(MOST)
    )
    rows = session.execute(query).all()
    return Held(
        labels=tuple(label for label, *_ in rows),
        keys=tuple(key for _, key, *_ in rows),
        values=tuple(dict.fromkeys(text for _, _, facts, _ in rows for text in _texts(facts))),
        offerings=tuple(dict.fromkeys(slug for *_, slug in rows)),
    )


def _texts(value: Any) -> Iterator[str]:
    """Every short text in what the target said of it, such as the name of a role."""
    if isinstance(value, str):
        if value and len(value) <= _LONGEST:
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
