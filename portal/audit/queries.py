"""Reading the ledger for pages: newest first, by keyset, names looked up beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.model import Checkpoint, Entry, PersonalValue
from portal.core.database import Database
from portal.identity.model import Person

PAGE = 25
EXPORT_PART = 2_000


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry as the ledger page shows it. `actor` is a name, or Countersign for the portal itself."""

    number: int
    at: datetime
    tag: str
    subject: str
    actor: str
    facts: tuple[tuple[str, str], ...]
    personal: tuple[tuple[str, str], ...]
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """How far the ledger has come and what was signed of it."""

    size: int
    signed_size: int
    signed_root: str
    signed_at: datetime | None
    note: str


def ledger_head(session: Session) -> LedgerHead:
    """Two statements, whatever the ledger's size."""
    size = session.scalar(select(func.max(Entry.number))) or 0
    last = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    if last is None:
        return LedgerHead(size, 0, "", None, "")
    return LedgerHead(size, last.size, last.root.hex(), last.at, last.note)


def entries_before(
    session: Session, before: int | None = None, *, tag: str = "", subject: str = "", limit: int = PAGE
) -> list[EntryLine]:
    """Entries numbered below `before`, newest first; by exact tag, and by subject or the reference in it."""
    query = select(Entry.number, Entry.at, Entry.tag, Entry.subject, Entry.actor, Entry.body, Entry.leaf_hash)
    if before is not None:
        query = query.where(Entry.number < before)
    if tag:
        query = query.where(Entry.tag == tag)
    if subject:
        query = query.where(Entry.subject.in_((subject, f"request:{subject.upper()}")))
    rows = session.execute(query.order_by(Entry.number.desc()).limit(limit)).all()
    names = names_of(session, [row.actor for row in rows])
    personal = _personal(session, [row.number for row in rows])
    return [
        EntryLine(
            number=row.number,
            at=row.at,
            tag=row.tag,
            subject=row.subject,
            actor=names.get(row.actor, "Countersign"),
            facts=tuple((name, _shown(value)) for name, value in json.loads(row.body)["facts"].items()),
            personal=tuple(personal.get(row.number, {}).items()),
            leaf_hash=row.leaf_hash.hex(),
        )
        for row in rows
    ]


def names_of(session: Session, actors: Sequence[str]) -> dict[str, str]:
    """The names behind "person:12"; one statement."""
    ids = {int(actor.removeprefix("person:")) for actor in actors if actor.startswith("person:")}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {f"person:{person_id}": name for person_id, name in rows}


def tags(session: Session) -> list[str]:
    """Every tag that the ledger holds."""
    return list(session.scalars(select(Entry.tag).distinct().order_by(Entry.tag)))


def _personal(session: Session, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for value in session.scalars(select(PersonalValue).where(PersonalValue.entry_number.in_(numbers))):
        found.setdefault(value.entry_number, {})[value.field] = value.value
    return found


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
