"""Sealing rows: whatever the portal writes into a table that tells what happened is sealed by the entry that tells of it.

The entry's body carries one digest (`rows`) over the list of the rows that its transaction wrote, each with an
HMAC-SHA256 over the whole row under a salt of its own. The list is kept in `ledger_row`, and the salts of what rows
say now in `row_salt`, outside the tree: an older salt is thrown away, so that nobody can find out from the tree what a
row once said. Whoever changes, adds, removes or exchanges rows past the portal, or puts an older state of one back, is
found by `reports.records`, for no row fits the last seal of its key any more.

portal.audit.collecting notices what is written, so that no room needs to remember to do it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.orm import Session

from portal.audit.model import RowSalt, SealedRow
from portal.audit.sealed_tables import SEALED
from portal.core.canonical import digest
from portal.core.database import Base
from portal.core.keyed import keyed
from portal.core.language import Said

SALT_BYTES = 32
#: Rows that are read or written by one statement.
PART = 400
#: The table of personal values: what stands there is committed to by its entry, so only its erasure is sealed.
VALUES = "personal_value"
#: The seal of a row that is no more.
GONE = ""


class Sealed(NamedTuple):
    """One row as its transaction leaves it."""

    table: str
    key: str
    seal: str
    salt: bytes


def sealed_columns(table: Table) -> list[Column[Any]]:
    """The columns that a seal covers, in order of name."""
    passing = SEALED[table.name]
    return sorted(
        (column for column in table.columns if column.name not in passing), key=lambda one: one.name
    )


def key_of(values: Sequence[Any]) -> str:
    """A primary key as text."""
    return str(values[0]) if len(values) == 1 else json.dumps(list(values), ensure_ascii=False)


def values_of(table: Table, key: str) -> tuple[Any, ...]:
    """The primary key that `key_of` wrote. Raises ValueError when it is none of this table."""
    columns = list(table.primary_key)
    parts = [key] if len(columns) == 1 else json.loads(key)
    if not isinstance(parts, list) or len(parts) != len(columns):
        message = f"{key!r} is no key of {table.name}"
        raise ValueError(message)
    return tuple(column.type.python_type(part) for column, part in zip(columns, parts, strict=True))


def among(table: Table, keys: Iterable[Sequence[Any]]) -> ColumnElement[bool]:
    """Whether a row's primary key is one of these."""
    return keyed(list(table.primary_key), keys)


def seal_of(salt: bytes, table: str, key: str, row: Mapping[str, Any]) -> str:
    """HMAC-SHA256 over the row's whole content, in hex."""
    content = json.dumps(
        [table, key, row], default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hmac.new(salt, content.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def content_of(columns: Sequence[Column[Any]], values: Sequence[Any]) -> dict[str, Any]:
    """A row as it is sealed: by column, a text in every language with all of them."""
    return {
        column.name: {"said": value.languages} if isinstance(value, Said) else value
        for column, value in zip(columns, values, strict=True)
    }


def list_digest(rows: Iterable[tuple[str, str, str]]) -> str:
    """What an entry's body says of the rows that its transaction wrote: each as table, key and seal."""
    return digest([list(row) for row in sorted(rows)])


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def touched(session: Session) -> dict[str, set[tuple[Any, ...]]]:
    """The keys of sealed rows that this transaction wrote so far, by table; portal.audit.collecting fills it."""
    rows: dict[str, set[tuple[Any, ...]]] = session.info.setdefault("rows", {})
    return rows


def seals_of_touched(session: Session) -> list[Sealed]:
    """What this transaction wrote, as it is now, each row under a new salt."""
    sealed = []
    for name, keys in sorted(session.info.pop("rows", {}).items()):
        table = Base.metadata.tables[name]
        ordered = sorted(keys)
        for start in range(0, len(ordered), PART):
            sealed += _sealed(session, table, ordered[start : start + PART])
    return sealed


def _sealed(session: Session, table: Table, keys: Sequence[tuple[Any, ...]]) -> list[Sealed]:
    if table.name == VALUES:
        return [Sealed(VALUES, key_of(key), GONE, b"") for key in keys]
    columns, primary = sealed_columns(table), list(table.primary_key)
    sealed, there = [], set()
    # By the columns and not by the objects: sealed is what the database gives back, not what was handed to it.
    for row in session.execute(select(*primary, *columns).where(among(table, keys))):
        key = key_of(row[: len(primary)])
        there.add(key)
        salt = secrets.token_bytes(SALT_BYTES)
        seal = seal_of(salt, table.name, key, content_of(columns, row[len(primary) :]))
        sealed.append(Sealed(table.name, key, seal, salt))
    gone = [key for key in map(key_of, keys) if key not in there]
    if gone:
        # What was written and taken back before anybody saw it never was.
        known = select(RowSalt.row_key).where(RowSalt.table_name == table.name, RowSalt.row_key.in_(gone))
        sealed += [
            Sealed(table.name, key, GONE, b"") for key in session.scalars(known.order_by(RowSalt.row_key))
        ]
    return sealed


def keep_seals(session: Session, number: int, sealed: Sequence[Sealed]) -> None:
    """Write the list of the entry's rows, and their salts in place of the former ones."""
    for start in range(0, len(sealed), PART):
        part = sealed[start : start + PART]
        for table in sorted({one.table for one in part}):
            keys = [one.key for one in part if one.table == table]
            session.execute(delete(RowSalt).where(RowSalt.table_name == table, RowSalt.row_key.in_(keys)))
        salts = [{"table_name": one.table, "row_key": one.key, "salt": one.salt} for one in part]
        session.execute(insert(RowSalt), salts)
        rows = [
            {"table_name": one.table, "row_key": one.key, "entry_number": number, "seal": one.seal}
            for one in part
        ]
        session.execute(insert(SealedRow), rows)
