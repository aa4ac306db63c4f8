"""The ledger's rows as the driver gives them: verification reads millions, and each layer above costs as much again."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy.orm import Session

from portal.audit.fitting import MOMENT, Rows, fitting, nodes, nodes_differ, reader
from portal.audit.model import PersonalValue
from portal.core.language import Said

_VALUE = PersonalValue.__table__.c.value.type

_ENTRIES = (
    "SELECT number, {1}, tag, subject, actor, body, hash FROM ledger_entry "
    "LEFT JOIN ledger_node ON level = 0 AND position = number - 1 "
    "WHERE number BETWEEN {0} AND {0} ORDER BY number"
)
_PERSONAL = (
    "SELECT entry_number, field, salt, value FROM personal_value "
    "WHERE entry_number BETWEEN {0} AND {0} ORDER BY entry_number"
)
_FOLLOWING = "SELECT min(number) FROM ledger_entry WHERE number > {0}"
_CHECKPOINTS = "SELECT size, root, note FROM ledger_checkpoint WHERE size BETWEEN {0} AND {0} ORDER BY size"
_ANY_SIZE = (-(1 << 63), (1 << 63) - 1)


class RawRows:
    """Reads ranges of the ledger over one connection of the driver."""

    def __init__(self, connection: Any, dialect: Any) -> None:
        self._read = reader(connection)
        self._dialect: str = dialect.name
        self._mark = "?" if dialect.name == "sqlite" else "%s"
        self._said: Callable[[str], str | None] = _VALUE.result_processor(dialect, None) or (
            lambda value: value
        )

    def entries(self, first: int, last: int) -> Rows:
        """Number, time as the text has it, tag, subject, actor, text and the hash that the tree holds, in order."""
        return self._readable(_ENTRIES, first, last, 7)

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

    def fitting(self, first: int, last: int) -> list[bytes] | None:
        """The hashes of these entries, when all of it fits; see portal.audit.fitting."""
        return fitting(self._read, self._dialect, first, last)

    def nodes(self, level: int, first: int, count: int) -> tuple[int, bytes]:
        """How many nodes stand at so many positions of the level, and their whole hashes one after the other."""
        return nodes(self._read, self._dialect, level, first, count)

    def nodes_differ(self, levels: list[list[bytes]], first: int) -> bool:
        """Whether the stored tree holds anything else over these leaves, the first of which is entry `first`."""
        return nodes_differ(self._read, self._dialect, levels, first)

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
        return self._read(statement.format(self._mark, MOMENT[self._dialect]), *values)


def holds_no_text(error: Exception) -> bool:
    """Whether reading ended because SQLite holds bytes where text must be, and not because it is busy or broken."""
    return "decode" in str(error)


def rows_of(session: Session) -> RawRows:
    """Over the session's own connection, so within its moment."""
    connection = session.connection()
    return RawRows(connection.connection.driver_connection, connection.dialect)
