"""The ledger's rows as the driver gives them: verification reads millions, and each layer above costs as much again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal.audit.model import PersonalValue

Rows = Sequence[tuple[Any, ...]]
_VALUE = PersonalValue.__table__.c.value.type

#: A time as an entry's text has it; the database writes it faster than we would.
_MOMENT = {
    # Kept as `2026-01-02 03:04:05.000006`, always with six digits and in UTC.
    "sqlite": "replace(replace(at, '.000000', ''), ' ', 'T') || '+00:00'",
    "postgresql": (
        "replace(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || '+00:00'"
    ),
}
_ENTRIES = (
    "SELECT number, {1}, tag, subject, actor, body, leaf_hash FROM ledger_entry "
    "WHERE number BETWEEN {0} AND {0} ORDER BY number"
)
_PERSONAL = (
    "SELECT entry_number, field, salt, value FROM personal_value "
    "WHERE entry_number BETWEEN {0} AND {0} ORDER BY entry_number"
)
#: What the leaf hashes, and the hash, of the entries whose columns repeat what their text says. 23 characters stand
#: around tag and subject.
_FITTING = {
    # Compared as bytes: of a text SQLite would count the characters to find its end.
    "sqlite": """
        SELECT CAST(x'00' || body AS BLOB), leaf_hash FROM ledger_entry
        WHERE number BETWEEN ? AND ?
        AND typeof(body) = 'text'
        AND instr(body, '{{"actor":"' || actor || '","at":"' || {1} || '","facts":{{') = 1
        AND substr(CAST(body AS BLOB), -length(tag) - length(subject) - 23)
            = CAST(',"subject":"' || subject || '","tag":"' || tag || '"}}' AS BLOB)
        ORDER BY number""",
    "postgresql": """
        SELECT '\\x00'::bytea || convert_to(body, 'UTF8'), leaf_hash FROM ledger_entry
        WHERE number BETWEEN %s AND %s
        AND starts_with(body, '{{"actor":"' || actor || '","at":"' || {1} || '","facts":{{')
        AND right(body, length(tag) + length(subject) + 23)
            = ',"subject":"' || subject || '","tag":"' || tag || '"}}'
        ORDER BY number""",
}
#: How many there are, and their hashes one after the other; of what is no hash of 32 bytes nothing is told.
_NODES = {
    "sqlite": (
        "SELECT count(*), CAST(group_concat(hash, '') AS BLOB) FROM (SELECT hash FROM ledger_node "
        "WHERE level = ? AND position BETWEEN ? AND ? AND typeof(hash) = 'blob' AND length(hash) = 32 "
        "ORDER BY position)"
    ),
    "postgresql": (
        "SELECT count(*), string_agg(hash, ''::bytea ORDER BY position) FROM ledger_node "
        "WHERE level = %s AND position BETWEEN %s AND %s AND length(hash) = 32"
    ),
}
_FOLLOWING = "SELECT min(number) FROM ledger_entry WHERE number > {0}"


class RawRows:
    """Reads ranges of the ledger over one connection of the driver."""

    def __init__(self, connection: Any, dialect: Any) -> None:
        self._connection = connection
        self._dialect = dialect.name
        self._mark = "?" if dialect.name == "sqlite" else "%s"
        self._said = _VALUE.result_processor(dialect, None) or (lambda value: value)

    def entries(self, first: int, last: int) -> Rows:
        """Number, time as the text has it, tag, subject, actor, text and hash, in order."""
        return self._readable(_ENTRIES, first, last, 7)

    def fitting(self, first: int, last: int) -> Rows:
        """What the leaf hashes, and its hash, of those entries whose columns repeat what their text says."""
        return self._rows(_FITTING[self._dialect], first, last)

    def personal(self, first: int, last: int) -> Rows:
        """The number of the entry, field, salt and value."""
        return [
            # What is in every language stands behind a sign beyond ASCII; most values need no second look.
            (*row[:3], self._said(row[3])) if isinstance(row[3], str) and not row[3].isascii() else row
            for row in self._readable(_PERSONAL, first, last, 4)
        ]

    def nodes(self, level: int, first: int, last: int) -> tuple[int, bytes]:
        """How many whole nodes of the level stand at these positions, and their hashes one after the other."""
        count, hashes = self._rows(_NODES[self._dialect], level, first, last)[0]
        return count, bytes(hashes or b"")

    def following(self, number: int) -> int | None:
        """The number of the first entry after this one."""
        found: int | None = self._rows(_FOLLOWING, number)[0][0]
        return found

    def _readable(self, statement: str, first: int, last: int, columns: int) -> Rows:
        """The rows; one that holds no text where text must be has its number alone, the rest of it is None."""
        try:
            return self._rows(statement, first, last)
        except OperationalError as error:
            if "decode" not in str(error):
                raise
            if first == last:
                return [(first, *[None] * (columns - 1))]
            middle = (first + last) // 2
            halves = ((first, middle), (middle + 1, last))
            return [row for half in halves for row in self._readable(statement, *half, columns)]

    def _rows(self, statement: str, *values: int) -> Rows:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement.format(self._mark, _MOMENT[self._dialect]), values)
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
