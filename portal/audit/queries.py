"""Reading the whole ledger in order, for commands."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from portal.audit.model import Entry
from portal.core.database import Database

EXPORT_PART = 2_000


def bodies(db: Database, since: int, until: int) -> Iterator[list[tuple[int, str]]]:
    """Numbers and exact texts of the entries above `since` and up to `until`, in order, part by part."""
    last = since
    while last < until:
        with db.reading() as session:
            rows = session.execute(
                select(Entry.number, Entry.body)
                .where(Entry.number > last, Entry.number <= until)
                .order_by(Entry.number)
                .limit(EXPORT_PART)
            ).all()
        if not rows:
            return
        yield [(row.number, row.body) for row in rows]
        last = rows[-1].number
