"""Rows against the last seal that the ledger set on each: read in parts, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Table, func, select, tuple_
from sqlalchemy.orm import Session

from portal.audit.model import Entry, PersonalValue, RowSalt, SealedRow
from portal.audit.sealed_tables import SEALED
from portal.audit.sealing import (
    GONE,
    VALUES,
    among,
    content_of,
    key_of,
    list_digest,
    seal_of,
    sealed_columns,
    values_of,
)
from portal.core.database import Base
from reports.records.found import RecordFinding, called, told_by

PART = 500
Tell = Callable[[int], None]


def odd_lists(session: Session, tell: Tell) -> Iterator[RecordFinding]:
    """Entries whose list of sealed rows is not the one that their text holds the digest of; erased values likewise."""
    last = 0
    while True:
        entries = session.execute(
            select(Entry.number, Entry.body).where(Entry.number > last).order_by(Entry.number).limit(PART)
        ).all()
        upto = entries[-1].number if entries else None
        lists = _lists(session, last, upto)
        values = _values(session, last, upto)
        for entry in entries:
            yield from _odd_list(session, entry, lists.pop(entry.number, []), values.pop(entry.number, set()))
        for number in sorted(set(lists) | set(values)):
            yield RecordFinding(
                "ledger_row",
                str(number),
                number,
                f"Rows are said to be told of by entry {number}, which is none.",
            )
        tell(len(entries))
        if upto is None:
            return
        last = upto


def _odd_list(
    session: Session, entry: Any, rows: list[tuple[str, str, str]], values: set[str]
) -> Iterator[RecordFinding]:
    body = json.loads(entry.body)
    told = body.get("rows")
    if told != (list_digest(rows) if rows else None):
        sentence = (
            f"The list of rows that {told_by(session, entry.number)} sealed was changed: it is not the one that "
            "the entry's text holds the digest of."
        )
        yield RecordFinding("ledger_row", str(entry.number), entry.number, sentence)
    committed = set(body.get("personal", {}))
    if committed == values:
        return
    keys = {field: key_of((entry.number, field)) for field in committed | values}
    erased = set(
        session.scalars(
            select(SealedRow.row_key)
            .join(Entry, Entry.number == SealedRow.entry_number)
            .where(
                SealedRow.table_name == VALUES,
                SealedRow.row_key.in_(list(keys.values())),
                SealedRow.seal == GONE,
                # Only what says of itself that it erases does: of a person, a record, or what was over its time.
                Entry.tag.endswith(":erased"),
            )
        )
    )
    for field, key in sorted(keys.items()):
        if field not in values and key not in erased:
            sentence = (
                f"The personal value “{field}” of {told_by(session, entry.number)} is missing, and no entry tells "
                "that it was erased."
            )
        elif field in values and field not in committed:
            sentence = (
                f"The personal value “{field}” is none that {told_by(session, entry.number)} commits to."
            )
        else:
            continue
        yield RecordFinding(VALUES, key, entry.number, sentence)


def _lists(session: Session, after: int, upto: int | None) -> dict[int, list[tuple[str, str, str]]]:
    found: dict[int, list[tuple[str, str, str]]] = {}
    statement = select(SealedRow.entry_number, SealedRow.table_name, SealedRow.row_key, SealedRow.seal).where(
        SealedRow.entry_number > after
    )
    if upto is not None:
        statement = statement.where(SealedRow.entry_number <= upto)
    for number, table, key, seal in session.execute(statement.order_by(SealedRow.entry_number)):
        found.setdefault(number, []).append((table, key, seal))
    return found


def _values(session: Session, after: int, upto: int | None) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    statement = select(PersonalValue.entry_number, PersonalValue.field).where(
        PersonalValue.entry_number > after
    )
    if upto is not None:
        statement = statement.where(PersonalValue.entry_number <= upto)
    for number, field in session.execute(statement.order_by(PersonalValue.entry_number)):
        found.setdefault(number, set()).add(field)
    return found


def odd_rows(session: Session, name: str, tell: Tell) -> Iterator[RecordFinding]:
    """Rows of the table that do not fit their seal, then those that a seal tells of and that are gone."""
    table = Base.metadata.tables[name]
    columns, primary = sealed_columns(table), list(table.primary_key)
    last: tuple[Any, ...] | None = None
    while True:
        statement = select(*primary).order_by(*primary).limit(PART)
        if last is not None:
            statement = statement.where(tuple_(*primary) > tuple_(*last))
        keys = [tuple(row) for row in session.execute(statement)]
        if keys:
            yield from _odd_part(session, table, columns, keys)
            last = keys[-1]
            tell(len(keys))
        if len(keys) < PART:
            break
    yield from _gone(session, table, tell)


def _odd_part(
    session: Session, table: Table, columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]
) -> Iterator[RecordFinding]:
    seals = _last_seals(session, table.name, [key_of(key) for key in keys])
    rows = _contents(session, table, columns, keys)
    for key in map(key_of, keys):
        number, seal, salt = seals.get(key, (None, None, None))
        if number is None:
            sentence = f"{called(session, table.name, key)} was added past the portal: no entry tells of it."
        elif seal == GONE:
            sentence = f"{called(session, table.name, key)} was removed by {told_by(session, number)}, and is there again."
        elif key in rows and salt and seal_of(salt, table.name, key, rows[key]) == seal:
            continue
        else:
            sentence = (
                f"{called(session, table.name, key)} was changed past the portal: it is not what "
                f"{told_by(session, number)} sealed."
            )
        yield RecordFinding(table.name, key, number, sentence)


def _contents(
    session: Session, table: Table, columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]
) -> dict[str, dict[str, Any]]:
    """Rows by key. One that cannot be read, because somebody wrote what no column of its kind holds, is left out."""
    primary = list(table.primary_key)
    statement = select(*primary, *columns)
    try:
        return {
            key_of(row[: len(primary)]): content_of(columns, row[len(primary) :])
            for row in session.execute(statement.where(among(table, keys)))
        }
    except (ValueError, TypeError, LookupError):
        if len(keys) == 1:
            return {}
        half = len(keys) // 2
        return {
            **_contents(session, table, columns, keys[:half]),
            **_contents(session, table, columns, keys[half:]),
        }


def _last_seals(
    session: Session, table: str, keys: Sequence[str]
) -> dict[str, tuple[int | None, str | None, bytes | None]]:
    statement = (
        select(SealedRow.row_key, SealedRow.entry_number, SealedRow.seal, RowSalt.salt)
        .outerjoin(
            RowSalt, (RowSalt.table_name == SealedRow.table_name) & (RowSalt.row_key == SealedRow.row_key)
        )
        .where(SealedRow.table_name == table, SealedRow.row_key.in_(keys))
        .order_by(SealedRow.entry_number)
    )
    return {key: (number, seal, salt) for key, number, seal, salt in session.execute(statement)}


def _gone(session: Session, table: Table, tell: Tell) -> Iterator[RecordFinding]:
    last = ""
    while True:
        keys = session.scalars(
            select(SealedRow.row_key)
            .where(SealedRow.table_name == table.name, SealedRow.row_key > last)
            .group_by(SealedRow.row_key)
            .order_by(SealedRow.row_key)
            .limit(PART)
        ).all()
        if not keys:
            return
        there = _those_there(session, table, keys)
        missing = [key for key in keys if key not in there]
        for key, (number, seal, _) in sorted(_last_seals(session, table.name, missing).items()):
            if seal != GONE and number is not None:
                sentence = f"{called(session, table.name, key)}, which {told_by(session, number)} sealed, is missing."
                yield RecordFinding(table.name, key, number, sentence)
        tell(len(missing))
        last = keys[-1]


def _those_there(session: Session, table: Table, keys: Sequence[str]) -> set[str]:
    readable = []
    for key in keys:
        try:
            readable.append(values_of(table, key))
        except ValueError:
            continue
    primary = list(table.primary_key)
    return {key_of(tuple(row)) for row in session.execute(select(*primary).where(among(table, readable)))}


def odd_salts(session: Session) -> Iterator[RecordFinding]:
    """Salts without a seal, and seals of tables that have none."""
    known = {*SEALED, VALUES}
    for table in session.scalars(select(SealedRow.table_name).distinct().order_by(SealedRow.table_name)):
        if table not in known:
            yield RecordFinding(
                "ledger_row", table, None, f"A row of {table} is sealed, which is no such table."
            )
    statement = (
        select(RowSalt.table_name, RowSalt.row_key)
        .outerjoin(
            SealedRow, (SealedRow.table_name == RowSalt.table_name) & (SealedRow.row_key == RowSalt.row_key)
        )
        .where(SealedRow.seal.is_(None))
        .order_by(RowSalt.table_name, RowSalt.row_key)
        .limit(1)
    )
    for table, key in session.execute(statement):
        sentence = f"The salt of {table} {key} belongs to no row that an entry tells of."
        yield RecordFinding("row_salt", f"{table}/{key}", None, sentence)


def rows_in_all(session: Session) -> int:
    """How many rows and entries there are to look at, for a progress bar."""
    total = session.scalar(select(func.count()).select_from(Entry)) or 0
    for name in SEALED:
        total += session.scalar(select(func.count()).select_from(Base.metadata.tables[name])) or 0
    return total
