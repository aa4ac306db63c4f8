"""What of the ledger fits, told as fast as it can be told; whatever does not is looked at anew, with care, elsewhere.

Almost every part of almost every ledger fits, so this is what verification costs: the database compares the columns
with the text, and what is left is hashing. A part is a whole subtree, or what is left at the end, so that parts can be
told in any order and by any process. Others than the one that verifies run this very file as a program (see
portal.audit.others), so it needs nothing but the standard library and the database's driver: to load the portal would
take as long as many parts do.
"""

from __future__ import annotations

import gc
import hmac
import importlib
import json
import pickle
import signal
import sqlite3
import sys
from binascii import hexlify
from collections.abc import Callable, Collection, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

#: Leaves of a part: 2 to this.
LEVEL = 13
SIZE = 1 << LEVEL
SALT_BYTES = 32
Rows = Sequence[tuple[Any, ...]]
#: Runs a statement with these values in the place of its marks.
Read = Callable[..., Rows]
#: Complete subtrees, level and hash, left to right.
Edge = list[tuple[int, bytes]]
#: A part's first and last entry, the sizes of the checkpoints within it, and the largest size of all checkpoints.
Work = tuple[int, int, Sequence[int], int]


class Fit(NamedTuple):
    """A part that fits: its edge, the same at the size of each checkpoint, and whether the stored tree differs in it."""

    edge: Edge
    edges: dict[int, Edge]
    odd_nodes: bool


#: A time as an entry's text has it. NULL for what is no time of ours.
MOMENT = {
    # Kept just so, but what is of another kind may look alike.
    "sqlite": "CASE typeof(at) WHEN 'text' THEN at END",
    # A year before Christ is written like the one after.
    "postgresql": (
        "CASE WHEN at >= '0001-01-01 00:00:00+00' THEN "
        "replace(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || '+00:00' END"
    ),
}
#: What the leaf hashes, and the number, of the entries whose columns repeat what their text says. A column with a
#: quotation mark or a backslash could repeat more of the text than its own value, so it is left to whoever looks with
#: care: written as JSON, as SQLite does here, it is longer than the 22 or 23 characters around tag and subject and they.
_ENTRIES = {
    # Compared as bytes: of a text SQLite would count the characters to find its end.
    "sqlite": """
        SELECT CAST(x'00' || body AS BLOB), number FROM ledger_entry
        WHERE number BETWEEN ? AND ? AND typeof(body) = 'text'
        AND instr(body, rtrim(json_object('actor', actor, 'at', at), '}') || ',"facts":{') = 1
        AND substr(CAST(body AS BLOB), -22 - length(CAST(subject || tag AS BLOB)))
            = CAST(substr(json_object('subject', subject, 'tag', tag), 2) AS BLOB)
        ORDER BY number""",
    # No backslash is written here, and no collation left open: a role's or a database's settings change neither.
    "postgresql": """
        SELECT decode('00', 'hex') || convert_to(body, 'UTF8'), number FROM ledger_entry
        WHERE number BETWEEN %s AND %s
        AND strpos((actor || subject || tag) COLLATE "C", '"') = 0
        AND strpos((actor || subject || tag) COLLATE "C", chr(92)) = 0
        AND starts_with(body COLLATE "C", '{"actor":"' || actor || '","at":"' || MOMENT || '","facts":{')
        AND right(body, length(tag) + length(subject) + 23)
            = (',"subject":"' || subject || '","tag":"' || tag || '"}') COLLATE "C"
        ORDER BY number""".replace("MOMENT", MOMENT["postgresql"]),
}
#: The number of the entry, field, salt and value in UTF-8; no salt where one of them is not of its kind.
_PERSONAL = {
    "sqlite": """
        SELECT entry_number, field, CASE WHEN typeof(entry_number) = 'integer' AND typeof(field) = 'text'
            AND typeof(salt) = 'blob' AND length(salt) = 32 AND typeof(value) = 'text' THEN salt END, CAST(value AS BLOB)
        FROM personal_value WHERE entry_number BETWEEN ? AND ? ORDER BY entry_number""",
    "postgresql": """
        SELECT entry_number, field, CASE WHEN length(salt) = 32 THEN salt END, convert_to(value, 'UTF8')
        FROM personal_value WHERE entry_number BETWEEN %s AND %s ORDER BY entry_number""",
}
#: How many there are, and their hashes one after the other, without what is no hash of 32 bytes. SQLite may hold a
#: position between two whole ones.
_NODES = {
    "sqlite": (
        "SELECT count(*), CAST(group_concat(CASE WHEN typeof(hash) = 'blob' AND length(hash) = 32 THEN hash END, '') "
        "AS BLOB) FROM (SELECT hash FROM ledger_node WHERE level = ? AND position >= ? AND position < ? ORDER BY position)"
    ),
    "postgresql": (
        "SELECT count(*), string_agg(hash, ''::bytea ORDER BY position) FILTER (WHERE length(hash) = 32) "
        "FROM ledger_node WHERE level = %s AND position >= %s AND position < %s"
    ),
}
_KIND = "hmac-sha256:"
#: Before a value that is kept in several languages stands this sign of portal.core.language, in UTF-8.
_IN_LANGUAGES = "\ue001".encode()
#: RFC 2104 pads the key with zeros to the 64 bytes of a block, and adds these to it bit by bit.
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_INNER_REST, _OUTER_REST = bytes([0x36]) * (64 - SALT_BYTES), bytes([0x5C]) * (64 - SALT_BYTES)


def fit(read: Read, dialect: str, work: Work) -> Fit | None:
    """The part, when all of it fits and a checkpoint covers it; else None."""
    first, last, sizes, signed = work
    leaves = fitting(read, dialect, first, last) if last <= signed else None
    if leaves is None:
        return None
    levels = levels_over(leaves)
    edges = edges_at(levels, first, sizes)
    return Fit(edge_of(levels, len(leaves)), edges, nodes_differ(read, dialect, levels, first))


def fitting(read: Read, dialect: str, first: int, last: int) -> list[bytes] | None:
    """The hashes of these entries, when columns and personal values all fit; else None.

    The number within a text is not looked at: a text at another's place makes another root than the one that was
    signed. Where it turns out that no head signed them, portal.audit.walking has each looked at. That a text is canonical
    JSON is not looked at either: what a checkpoint covers is what the portal wrote, byte for byte.
    """
    try:
        entries = read(_ENTRIES[dialect], first, last)
        personal = read(_PERSONAL[dialect], first, last)
    except sqlite3.OperationalError:
        return None  # bytes where text must be; if the database is busy or broken, whoever looks anew will say so
    if len(entries) != last - first + 1:
        return None
    texts, numbers = zip(*entries, strict=True)
    if numbers != tuple(range(first, last + 1)) or not _commit(texts, first, personal):
        return None
    return [sha256(text).digest() for text in texts]


def _commit(texts: Sequence[bytes], first: int, personal: Rows) -> bool:
    """Whether each text, the first of which is entry `first`, commits to its personal values."""
    inner_rest, outer_rest, before = _INNER_REST, _OUTER_REST, {}
    for number, name, salt, value in personal:
        if salt is None:
            return False
        if name not in before:
            before[name] = f'{json.dumps(name, ensure_ascii=False)}:"{_KIND}'.encode()
        text = texts[number - first]
        at = text.rfind(b'"personal":{')
        # Facts end with a brace, and a value that is kept in one language alone has nothing here.
        languages = text.rfind(b'},"languages":{', 0, at)
        said = value
        if value.startswith(_IN_LANGUAGES):
            said, every = _spoken(value)
            if languages < 0 or text.find(before[name] + _hmac(salt, every), languages, at) < 0:
                return False
        elif languages > 0 and text.find(before[name], languages, at) > 0:
            return False
        # HMAC-SHA256 in half the time of `hmac.digest`, which asks OpenSSL for the algorithm each time.
        inner = sha256(salt.translate(_INNER) + inner_rest + said).digest()
        made = hexlify(sha256(salt.translate(_OUTER) + outer_rest + inner).digest())
        if text.find(before[name] + made, at) < 1:
            return False
    return True


def _spoken(value: bytes) -> tuple[bytes, bytes]:
    """The English text of a value that is kept in several languages, and all of them as they are committed to.

    Nothing where it is not kept as it should be, which no entry commits to.
    """
    try:
        languages = json.loads(value[len(_IN_LANGUAGES) :])
        if all(isinstance(one, str) for one in languages.values()):
            every = json.dumps(languages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            return languages["en"].encode(), every.encode()
    except (AttributeError, KeyError, ValueError, RecursionError):
        pass
    return b"", b""


def _hmac(salt: bytes, value: bytes) -> bytes:
    return hmac.digest(salt, value, "sha256").hex().encode()


def levels_over(leaves: list[bytes]) -> list[list[bytes]]:
    """The hashes of every complete subtree over the leaves, from the leaves up."""
    hashed, levels = sha256, [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([hashed(b"\x01" + left + right).digest() for left, right in pairs])
    return levels


def edge_of(levels: list[list[bytes]], count: int) -> Edge:
    """The complete subtrees over the first `count` leaves."""
    return [
        (level, levels[level][(count >> level) - 1])
        for level in reversed(range(len(levels)))
        if count >> level & 1
    ]


def edges_at(levels: list[list[bytes]], first: int, sizes: Collection[int]) -> dict[int, Edge]:
    """The edges at those of the sizes that the leaves, the first of which is entry `first`, reach."""
    return {size: edge_of(levels, size - first + 1) for size in sizes if size - first + 1 <= len(levels[0])}


def nodes_differ(read: Read, dialect: str, levels: list[list[bytes]], first: int) -> bool:
    """Whether the stored tree holds anything else over the leaves than they make."""
    return any(
        nodes(read, dialect, level, (first - 1) >> level, len(hashes)) != (len(hashes), b"".join(hashes))
        for level, hashes in enumerate(levels)
        if hashes
    )


def nodes(read: Read, dialect: str, level: int, first: int, count: int) -> tuple[int, bytes]:
    """How many nodes stand at so many positions of the level, and their whole hashes one after the other."""
    there, hashes = read(_NODES[dialect], level, first, first + count)[0]
    return there, bytes(hashes or b"")


def reader(connection: Any) -> Read:
    """Reads all rows of a statement over a connection of the driver: each layer above costs as much again."""

    def read(statement: str, *values: int) -> Rows:
        cursor = connection.cursor()
        try:
            cursor.execute(statement, values)
            rows: Rows = cursor.fetchall()
        finally:
            cursor.close()
        return rows

    return read


def main() -> None:
    """Tell of each part that is asked for on standard input, until it ends; whoever asks ends us by ending it."""
    # Whoever presses Ctrl-C means the one that began us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    dialect, driver, arguments, named = pickle.load(asked)  # noqa: S301  (from the process that began us)
    read = reader(importlib.import_module(driver).connect(*arguments, **named))
    for work in _each(asked):
        found = fit(read, dialect, work)
        # A class of this program is none of the other's.
        pickle.dump(found and tuple(found), told)
        told.flush()


def _each(stream: Any) -> Iterator[Work]:
    try:
        while True:
            yield pickle.load(stream)  # noqa: S301  (from the process that began us)
    except EOFError:
        return


if __name__ == "__main__":
    main()
