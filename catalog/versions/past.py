"""Past requests as a replay reads them: in batches of one statement each, latest first, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.core.database import Database

#: Requests in one batch: a statement costs little and a thousand answers are a few megabytes.
BATCH = 1000
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Past(NamedTuple):
    """One request that was made of the offering; the time is UTC."""

    number: int
    reference: str
    version_id: int
    requester_id: int
    beneficiary_id: int
    editor_id: int
    answers: Mapping[str, Any]
    submitted_at: datetime


def _wanted() -> tuple[ColumnElement[bool], ...]:
    return (
        OfferingVersion.offering_id == bindparam("offering"),
        Request.submitted_at >= bindparam("since"),
    )


_COUNT = select(func.count()).select_from(Request).join(OfferingVersion).where(*_wanted())
# Built once, and columns instead of entities: making objects of the requests costs more than reading them.
_BATCH = (
    select(
        Request.number,
        Request.reference,
        Request.offering_version_id,
        Request.requester_id,
        Request.beneficiary_id,
        Request.editor_id,
        Request.answers,
        Request.submitted_at,
    )
    .join(OfferingVersion)
    .where(*_wanted(), Request.number < bindparam("before"))
    .order_by(Request.number.desc())
    .limit(bindparam("size"))
)
_HIGHEST = 2**31 - 1


def count_past(session: Session, offering_id: int, *, since: datetime | None, most: int | None) -> int:
    """How many requests a replay would read; one statement."""
    count = session.scalar(_COUNT, {"offering": offering_id, "since": since or _LONG_AGO}) or 0
    return count if most is None else min(count, most)


def past_requests(
    db: Database, offering_id: int, *, since: datetime | None, most: int | None
) -> Iterator[tuple[Past, ...]]:
    """The latest requests first, in batches; one statement a batch, and no session is held between them."""
    before, left = _HIGHEST, most
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        with db.reading() as session:
            rows = session.execute(
                _BATCH,
                {"offering": offering_id, "since": since or _LONG_AGO, "before": before, "size": size},
            )
            batch = tuple(Past(*row) for row in rows)
        if batch:
            yield batch
        if len(batch) < size:
            return
        before = batch[-1].number
        left = None if left is None else left - size
