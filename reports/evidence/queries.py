"""Reading requests as the compliance officer lists them: every request, newest first, in one statement a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from catalog.offerings.called import names_of
from catalog.offerings.model import OfferingVersion
from catalog.requests.audited import in_scope
from catalog.requests.model import Request
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

PAGE = 25
#: LIKE's own characters, which no reference holds.
WILDCARDS = frozenset("%_\\")
_HIGHEST = 2**31 - 1


class EvidenceLine(NamedTuple):
    """One request in the list. `over_at` is when it was fulfilled or closed, in the reader's zone."""

    reference: str
    title: str
    offering: str
    requester: str
    state: str
    over_at: datetime | None


# Built once: making the statement costs more than running it.
_ALL = (
    select(
        Request.number,
        Request.reference,
        Request.title,
        OfferingVersion.digest,
        OfferingVersion.document["name"].as_string().label("offering"),
        Person.name,
        Request.state,
        func.coalesce(Request.closed_at, Request.fulfilled_at, type_=Request.closed_at.type),
    )
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(Person, Person.id == Request.requester_id)
    .where(Request.number < bindparam("before"))
    .order_by(Request.number.desc())
    .limit(bindparam("limit"))
)
_BY_REFERENCE = _ALL.where(Request.reference.startswith(bindparam("reference")))


def requests_for_evidence(
    session: Session, actor: Actor, *, reference: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[EvidenceLine], int | None]:
    """Requests whose reference begins like this, the latest first; and where the next page begins, or None."""
    rows: Sequence[Any]
    values = {"before": before if before is not None else _HIGHEST, "limit": limit + 1}
    wanted = whole_reference(reference)
    every, by_reference = _ALL, _BY_REFERENCE
    if actor.audit is not None:
        every, by_reference = every.where(in_scope(actor)), by_reference.where(in_scope(actor))
    if not wanted:
        rows = session.execute(every, values).all()
    elif set(wanted) & WILDCARDS:
        rows = []
    else:
        rows = session.execute(by_reference, {**values, "reference": wanted}).all()
    zone = ZoneInfo(actor.timezone)
    called = names_of(session, ((row.digest, row.offering) for row in rows))
    lines = tuple(
        EvidenceLine(
            reference,
            spoken(title),
            called[digest],
            requester,
            state.value,
            over.astimezone(zone) if over else None,
        )
        for _number, reference, title, digest, _name, requester, state, over in rows[:limit]
    )
    return lines, rows[limit - 1].number if len(rows) > limit else None


def whole_reference(typed: str) -> str:
    """What was typed as the reference that it means: 12 and sr-12 are SR-000012."""
    text = typed.strip().upper()
    digits = text.removeprefix("SR-")
    return f"SR-{int(digits):06d}" if digits.isascii() and digits.isdecimal() and len(digits) < 6 else text  # noqa: PLR2004
