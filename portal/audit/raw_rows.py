"""The ledger's rows as the driver gives them: verification reads millions, and each layer above costs as much again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal.audit.model import PersonalValue

Rows = Sequence[tuple[Any, ...]]
_VALUE = PersonalValue.__table__.c.value.type

_ENTRIES = (
    "SELECT number, at, tag, subject, actor, body, leaf_hash FROM ledger_entry "
    "WHERE number BETWEEN {0} AND {0} ORDER BY number"
)
_PERSONAL = (
    "SELECT entry_number, field, salt, value FROM personal_value "
    "WHERE entry_number BETWEEN {0} AND {0} ORDER BY entry_number"
)
_NODES = (
    "SELECT position, hash FROM ledger_node WHERE level = {0} AND position BETWEEN {0} AND {0} "
    "ORDER BY position"
)
_FOLLOWING = "SELECT min(number) FROM ledger_entry WHERE number > {0}"


class RawRows:
    """Reads ranges of the ledger over one connection of the driver."""

    def __init__(self, connection: Any, dialect: Any) -> None:
        self._connection = connection
        self._mark = "?" if dialect.name == "sqlite" else "%s"
        #: How a time is written in an entry's text.
        self.moment: Callable[[Any], str] = _from_text if dialect.name == "sqlite" else _from_datetime
        self._said = _VALUE.result_processor(dialect, None) or (lambda value: value)

    def entries(self, first: int, last: int) -> Rows:
        """Number, time, tag, subject, actor, text and hash, in order."""
        return self._rows(_ENTRIES, first, last)

    def personal(self, first: int, last: int) -> Iterator[tuple[int, str, bytes, str]]:
        """The number of the entry, field, salt and value."""
        for number, field, salt, value in self._rows(_PERSONAL, first, last):
            # What is in every language stands behind a sign beyond ASCII; most values need no second look.
            yield number, field, bytes(salt), value if value.isascii() else self._said(value) or ""

    def nodes(self, level: int, first: int, last: int) -> Rows:
        """Position and hash, in order."""
        return self._rows(_NODES, level, first, last)

    def following(self, number: int) -> int | None:
        """The number of the first entry after this one."""
        found: int | None = self._rows(_FOLLOWING, number)[0][0]
        return found

    def _rows(self, statement: str, *values: int) -> Rows:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement.format(self._mark), values)
            rows: Rows = cursor.fetchall()
        finally:
            cursor.close()
        return rows


def rows_of(session: Session) -> RawRows:
    """Over the session's own connection, so within its moment."""
    connection = session.connection()
    return RawRows(connection.connection.driver_connection, connection.dialect)


@contextmanager
def opened_rows(engine: Engine) -> Iterator[RawRows]:
    """Over a connection of the engine."""
    with engine.connect() as connection:
        yield RawRows(connection.connection.driver_connection, connection.dialect)


def _from_datetime(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _from_text(at: str) -> str:
    """SQLite keeps `2026-01-02 03:04:05.000006`, always with six digits and in UTC."""
    return f"{at[:10]}T{at[11:19] if at.endswith('.000000') else at[11:]}+00:00"
