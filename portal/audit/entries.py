"""Entries of the ledger for its pages and its export, by keyset in either direction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.audit.model import Checkpoint, Entry
from portal.audit.names import names_of
from portal.audit.rounds.model import VerificationRound
from portal.audit.rounds.work import last_round
from portal.core.database import Database

PAGE = 25
EXPORT_PART = 2_000


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry in the list. `actor` is a name, or Countersign for the portal itself."""

    number: int
    at: datetime
    tag: str
    subject: str
    actor: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Newest first; `older` and `newer` are where the pages beside it begin, or None."""

    lines: tuple[EntryLine, ...]
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """How far the ledger has come and what was signed of it."""

    size: int
    signed_size: int
    signed_root: str
    signed_at: datetime | None
    note: str


def ledger_head(session: Session) -> LedgerHead:
    """How far it has come; one statement, whatever the ledger's size, and two where nothing is signed yet."""
    return head_and_round(session)[0]


def head_and_round(session: Session) -> tuple[LedgerHead, VerificationRound | None]:
    """The same with the last round of verification, if there was one; three statements where nothing is signed yet."""
    newest = select(func.max(Entry.number)).scalar_subquery()
    last_one = select(func.max(VerificationRound.id)).scalar_subquery()
    row = session.execute(
        select(newest, Checkpoint, VerificationRound)
        .select_from(Checkpoint)
        .outerjoin(VerificationRound, VerificationRound.id == last_one)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        size = session.scalar(select(func.max(Entry.number))) or 0
        return LedgerHead(size, 0, "", None, ""), last_round(session)
    size, last, verified = row
    return LedgerHead(size or 0, last.size, last.root.hex(), last.at, last.note), verified


def entries_page(
    session: Session,
    wanted: ColumnElement[bool],
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE,
) -> EntryPage:
    """Those numbered below `before`, or the next ones above `after`, or the newest; two statements."""
    query = select(Entry.number, Entry.at, Entry.tag, Entry.subject, Entry.actor, Entry.body).where(wanted)
    upwards = after is not None and before is None
    if upwards:
        query = query.where(Entry.number > after).order_by(Entry.number)
    else:
        query = query.order_by(Entry.number.desc())
        if before is not None:
            query = query.where(Entry.number < before)
    found = session.execute(query.limit(limit + 1)).all()
    more, rows = len(found) > limit, found[:limit]
    if upwards:
        rows = rows[::-1]
    names = names_of(session, [row.actor for row in rows])
    lines = tuple(
        EntryLine(
            row.number, row.at, row.tag, row.subject, names.get(row.actor, "Countersign"), facts_of(row.body)
        )
        for row in rows
    )
    if not lines:
        return EntryPage((), None, None)
    older = lines[-1].number if (more or upwards) else None
    newer = lines[0].number if (before is not None or (upwards and more)) else None
    return EntryPage(lines, older, newer)


def facts_of(body: str) -> tuple[tuple[str, str], ...]:
    """The facts of an entry's text, each as a reader sees it."""
    return tuple((name, shown(value)) for name, value in json.loads(body)["facts"].items())


def shown(value: Any) -> str:
    """Text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def count_of(session: Session, wanted: ColumnElement[bool], until: int) -> int:
    """How many entries are meant, up to this number; one statement."""
    statement = select(func.count()).select_from(Entry).where(wanted, Entry.number <= until)
    return session.scalar(statement) or 0


def every_body(db: Database, wanted: ColumnElement[bool], until: int) -> Iterator[Sequence[str]]:
    """The exact texts of the entries that are meant, up to this number, in order and part by part."""
    last = 0
    while True:
        with db.reading() as session:
            rows = session.execute(
                select(Entry.number, Entry.body)
                .where(wanted, Entry.number > last, Entry.number <= until)
                .order_by(Entry.number)
                .limit(EXPORT_PART)
            ).all()
        if not rows:
            return
        yield [row.body for row in rows]
        last = rows[-1].number
