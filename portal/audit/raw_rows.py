"""The ledger's rows as the driver gives them: verification reads millions, and each layer above costs as much again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal.audit.model import PersonalValue
from portal.core.language import Said

Rows = Sequence[tuple[Any, ...]]
_VALUE = PersonalValue.__table__.c.value.type

#: A time as an entry's text has it; the database writes it faster than we would. NULL for what is no time of ours.
_MOMENT = {
    # Kept as `2026-01-02 03:04:05.000006`, always with six digits and in UTC.
    "sqlite": (
        "CASE WHEN typeof(at) = 'text' AND at GLOB '????-??-?? ??:??:??.??????' "
        "THEN replace(replace(at, '.000000', ''), ' ', 'T') || '+00:00' END"
    ),
    # A year before Christ is written like the one after.
    "postgresql": (
        "CASE WHEN at >= '0001-01-01 00:00:00+00' THEN "
        "replace(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || '+00:00' END"
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
#: What the leaf hashes, the hash and the number of the entries whose columns repeat what their text says. 23 characters
#: stand around tag and subject. A column with a quotation mark or a backslash is left to whoever reads JSON: it could
#: repeat more of the text than its own value.
_FITTING = {
    # Compared as bytes: of a text SQLite would count the characters to find its end.
    "sqlite": """
        SELECT CAST(x'00' || body AS BLOB), leaf_hash, number FROM ledger_entry
        WHERE number BETWEEN ? AND ?
        AND typeof(body) = 'text' AND typeof(actor) = 'text' AND typeof(subject) = 'text' AND typeof(tag) = 'text'
        AND instr(actor, '"') + instr(subject, '"') + instr(tag, '"') = 0
        AND instr(actor, char(92)) + instr(subject, char(92)) + instr(tag, char(92)) = 0
        AND instr(body, '{{"actor":"' || actor || '","at":"' || {1} || '","facts":{{') = 1
        AND substr(CAST(body AS BLOB), -length(CAST(tag AS BLOB)) - length(CAST(subject AS BLOB)) - 23)
            = CAST(',"subject":"' || subject || '","tag":"' || tag || '"}}' AS BLOB)
        ORDER BY number""",
    # No backslash is written here, and no collation left open: a role's or a database's settings change neither.
    "postgresql": """
        SELECT decode('00', 'hex') || convert_to(body, 'UTF8'), leaf_hash, number FROM ledger_entry
        WHERE number BETWEEN %s AND %s
        AND strpos((actor || subject || tag) COLLATE "C", '"') = 0
        AND strpos((actor || subject || tag) COLLATE "C", chr(92)) = 0
        AND starts_with(body COLLATE "C", '{{"actor":"' || actor || '","at":"' || {1} || '","facts":{{')
        AND right(body, length(tag) + length(subject) + 23)
            = (',"subject":"' || subject || '","tag":"' || tag || '"}}') COLLATE "C"
        ORDER BY number""",
}
#: How many there are, and their hashes one after the other, without what is no hash of 32 bytes. SQLite may hold a
#: position between two whole ones.
_NODES = {
    "sqlite": (
        "SELECT (SELECT count(*) FROM ledger_node WHERE level = ?1 AND position >= ?2 AND position < ?3), "
        "CAST(group_concat(hash, '') AS BLOB) FROM (SELECT hash FROM ledger_node "
        "WHERE level = ?1 AND position >= ?2 AND position < ?3 AND typeof(hash) = 'blob' AND length(hash) = 32 "
        "ORDER BY position)"
    ),
    "postgresql": (
        "SELECT count(*), string_agg(hash, ''::bytea ORDER BY position) FILTER (WHERE length(hash) = 32) "
        "FROM ledger_node WHERE level = %s AND position >= %s AND position < %s"
    ),
}
_FOLLOWING = "SELECT min(number) FROM ledger_entry WHERE number > {0}"
_CHECKPOINTS = "SELECT size, root, note FROM ledger_checkpoint WHERE size BETWEEN {0} AND {0} ORDER BY size"
_ANY_SIZE = (-(1 << 63), (1 << 63) - 1)


class RawRows:
    """Reads ranges of the ledger over one connection of the driver."""

    def __init__(self, connection: Any, dialect: Any) -> None:
        self._connection = connection
        self._dialect = dialect.name
        self._mark = "?" if dialect.name == "sqlite" else "%s"
        self._said: Callable[[str], str | None] = _VALUE.result_processor(dialect, None) or (
            lambda value: value
        )

    def entries(self, first: int, last: int) -> Rows:
        """Number, time as the text has it, tag, subject, actor, text and hash, in order."""
        return self._readable(_ENTRIES, first, last, 7)

    def fitting(self, first: int, last: int) -> Rows:
        """What the leaf hashes, its hash and the number of those entries whose columns repeat what their text says."""
        try:
            return self._rows(_FITTING[self._dialect], first, last)
        except OperationalError as error:
            if not holds_no_text(error):
                raise
            return ()

    def personal(self, first: int, last: int) -> Rows:
        """The number of the entry, field, salt and value; None for a value that nobody could be shown."""
        return [
            # What is in every language stands behind a sign beyond ASCII; most values need no second look.
            (*row[:3], self._shown(row[3])) if isinstance(row[3], str) and not row[3].isascii() else row
            for row in self._readable(_PERSONAL, first, last, 4)
        ]

    def _shown(self, value: str) -> str | None:
        try:
            said = self._said(value)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        whole = not isinstance(said, Said) or all(isinstance(one, str) for one in said.languages.values())
        return said if whole else None

    def nodes(self, level: int, first: int, count: int) -> tuple[int, bytes]:
        """How many nodes stand at so many positions of the level, and their whole hashes one after the other."""
        there, hashes = self._rows(_NODES[self._dialect], level, first, first + count)[0]
        return there, bytes(hashes or b"")

    def checkpoints(self) -> Rows:
        """Size, root and note, in order of size."""
        return self._readable(_CHECKPOINTS, *_ANY_SIZE, 3)

    def following(self, number: int) -> int | None:
        """The number of the first entry after this one."""
        found: int | None = self._rows(_FOLLOWING, number)[0][0]
        return found

    def _readable(self, statement: str, first: int, last: int, columns: int) -> Rows:
        """The rows; one that holds no text where text must be has its number alone, the rest of it is None."""
        try:
            return self._rows(statement, first, last)
        except OperationalError as error:
            if not holds_no_text(error):
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


def holds_no_text(error: Exception) -> bool:
    """Whether reading ended because SQLite holds bytes where text must be, and not because it is busy or broken."""
    return "decode" in str(error)


def rows_of(session: Session) -> RawRows:
    """Over the session's own connection, so within its moment."""
    connection = session.connection()
    return RawRows(connection.connection.driver_connection, connection.dialect)


@contextmanager
def opened_rows(engine: Engine) -> Iterator[RawRows]:
    """Over a connection of the engine."""
    with engine.connect() as connection:
        yield RawRows(connection.connection.driver_connection, connection.dialect)
