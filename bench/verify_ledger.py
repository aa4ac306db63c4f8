"""How long `audit verify` takes over a large ledger, beside hashing the same bytes.

    python -m bench.verify_ledger [--entries 1000000] [--database-url URL] [--folder FOLDER]

Three figures of one run, on the same database: *hash* is SHA-256 over every entry's text, over the tree and over the
personal values, all of it in memory already; *read and hash* takes the texts from the database first; *verify* is all
of `audit verify`: every column against its text, the values behind the commitments, 10,000 checkpoints and their
signatures, every node of the stored tree. Then what a second, incremental verification takes, and how many rows one
inclusion proof reads.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from sqlalchemy import event, insert

from bench.memory import Watch
from portal.audit.merkle import Frontier, inclusion_proof, leaf_hash, node_hash
from portal.audit.model import Checkpoint, Entry, Node, PersonalValue
from portal.audit.notes import Head, sign_head
from portal.audit.record import commitment
from portal.audit.rounds.tags import VERIFIED
from portal.audit.tree import node_reader
from portal.audit.verify import verify_ledger
from portal.audit.vouched import facts_of
from portal.core.canonical import canonical_json
from portal.core.database import Base, Database

console = Console(highlight=False)
NAME = "bench.example/ledger"
EVERY = 100
PART = 10_000
TIMES = 3
SECONDS_BETWEEN = 30
#: A week of entries, after which the portal verifies all of them and says so in an entry.
WEEK = 7 * 24 * 3600 // SECONDS_BETWEEN


def main() -> None:
    """Fill, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        db = Database(given.database_url or f"sqlite:///{folder / 'ledger.db'}")
        key = Ed25519PrivateKey.generate()
        began = time.perf_counter()
        fill(db, given.entries, key)
        console.print(f"filled {given.entries:,} entries in {time.perf_counter() - began:.0f} s")
        report(db, given.entries, key, folder)


def report(db: Database, entries: int, key: Ed25519PrivateKey, folder: Path) -> None:
    """Measure side by side and print."""
    texts, values = list(bodies(db)), list(personal(db))
    hashed = _timed(lambda: hash_alone(texts, values))
    size = sum(len(text) for text in texts)
    texts.clear()
    values.clear()
    read = _timed(lambda: hash_alone(bodies(db), personal(db)))
    known = folder / "verified.json"

    def verify(*, whole: bool) -> None:
        result = verify_ledger(db, name=NAME, keys=[key.public_key()], folder=None, known=known, whole=whole)
        if not result.holds or result.entries != entries:
            raise SystemExit(str(result.findings))

    with Watch() as watch:
        verify(whole=True)
    whole = _timed(lambda: verify(whole=True))
    again = _timed(lambda: verify(whole=False))
    rows = rows_read(db, entries)
    console.print(f"{entries:,} entries of {size / entries:.0f} bytes on {db.engine.dialect.name}")
    console.print(f"{'':24}{'seconds':>9}{'of hash':>9}{'of read and hash':>18}")
    for name, seconds in (
        ("hash", hashed),
        ("read and hash", read),
        ("verify", whole),
        ("verify what is new", again),
    ):
        console.print(f"{name:24}{seconds:9.2f}{seconds / hashed:9.2f}{seconds / read:18.2f}")
    console.print(
        f"all processes together while verifying: {watch.mebibytes:.0f} MiB; rows read for one inclusion proof: {rows}"
    )


def fill(db: Database, entries: int, key: Ed25519PrivateKey) -> None:
    """Entries as the portal writes them, half with a personal value, a checkpoint for each hundred, a round each week."""
    Base.metadata.create_all(db.engine)
    frontier = Frontier()
    pending: dict[int, bytes] = {}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    signed: list[tuple[int, bytes, str]] = []
    for first in range(1, entries + 1, PART):
        made: dict[type[Base], list[dict[str, object]]] = {
            Entry: [],
            Node: [],
            Checkpoint: [],
            PersonalValue: [],
        }
        for number in range(first, min(first + PART, entries + 1)):
            # One time in a million has no fraction of a second.
            at += timedelta(seconds=SECONDS_BETWEEN, microseconds=1)
            entry, value = _round(number, at, signed) if number % WEEK == 0 else _entry(number, at)
            leaf = leaf_hash(str(entry["body"]).encode())
            made[Entry].append(entry)
            if value:
                made[PersonalValue].append(value)
            level, position, current = 0, number - 1, leaf
            made[Node].append({"level": 0, "position": position, "hash": current})
            while position & 1:
                current = node_hash(pending[level], current)
                level, position = level + 1, position >> 1
                made[Node].append({"level": level, "position": position, "hash": current})
            pending[level] = current
            frontier.append(leaf)
            if number % EVERY == 0 or number == entries:
                head = Head(NAME, number, frontier.root())
                note = sign_head(head, NAME, key)
                made[Checkpoint].append({"size": number, "root": head.root, "note": note, "at": at})
                signed.append((number, head.root, note))
        with db.engine.begin() as connection:
            for model, rows in made.items():
                table = Base.metadata.tables[model.__tablename__]
                if rows:
                    connection.execute(insert(table), rows)


def _round(
    number: int, at: datetime, signed: list[tuple[int, bytes, str]]
) -> tuple[dict[str, object], dict[str, object] | None]:
    facts = {"entries": number - 1, "findings": 0, "whole": True, **facts_of(signed)}
    told = {"number": number, "at": at.isoformat(), "tag": VERIFIED, "subject": "ledger", "actor": "portal"}
    body = canonical_json({**told, "facts": facts, "personal": {}}).decode()
    return {**told, "at": at, "body": body}, None


def _entry(number: int, at: datetime) -> tuple[dict[str, object], dict[str, object] | None]:
    told: dict[str, object] = {
        "number": number,
        "at": at.isoformat(),
        "tag": ("decision:made", "step:applied", "request:sealed", "entitlement:granted")[number % 4],
        "subject": f"request:SR-{number // 12 + 1:06d}",
        "actor": f"person:{number % 900 + 1}" if number % 3 else "portal",
    }
    value = None
    committed = {}
    if number % 2:
        salt, text = secrets.token_bytes(32), f"The reason of entry {number}, in a sentence of some length."
        committed = {"comment": commitment(salt, text)}
        value = {"entry_number": number, "field": "comment", "salt": salt, "value": text}
    facts = {
        "seal": "sha256:" + hashlib.sha256(b"%d" % number).hexdigest(),
        "stage": "owner",
        "verdict": "approve",
        "acr": "urn:countersign:acr:mfa",
        "revision": 1,
    }
    body = canonical_json({**told, "facts": facts, "personal": committed}).decode()
    return {**told, "at": at, "body": body}, value


def bodies(db: Database) -> Iterator[bytes]:
    """Every entry's text, in order, straight from the driver."""
    yield from (row[0].encode() for row in _rows(db, "SELECT body FROM ledger_entry ORDER BY number"))


def personal(db: Database) -> Iterator[tuple[bytes, bytes]]:
    """Every salt and value."""
    rows = _rows(db, "SELECT salt, value FROM personal_value ORDER BY entry_number")
    yield from ((bytes(salt), value.encode()) for salt, value in rows)


def _rows(db: Database, statement: str) -> Iterator[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # On PostgreSQL a cursor with a name is read in parts; SQLite always is.
        cursor = driver.cursor() if db.engine.dialect.name == "sqlite" else driver.cursor(name="bench")
        cursor.execute(statement)
        while rows := cursor.fetchmany(PART):
            yield from rows
        cursor.close()


def hash_alone(
    texts: Iterator[bytes] | list[bytes], values: Iterator[tuple[bytes, bytes]] | list[tuple[bytes, bytes]]
) -> bytes:
    """The least that must be done: leaves, tree, commitments."""
    sha256 = hashlib.sha256
    level = [sha256(b"\x00" + text).digest() for text in texts]
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ] + odd
    for salt, value in values:
        hmac.digest(salt, value, "sha256")
    return level[0]


def rows_read(db: Database, entries: int) -> int:
    """How many rows the proof of one entry in the middle reads."""
    read = 0

    def count(*_: object) -> None:
        nonlocal read
        read += 1

    with db.reading() as session:
        event.listen(db.engine, "before_cursor_execute", count)
        inclusion_proof(node_reader(session), entries // 3, entries)
        event.remove(db.engine, "before_cursor_execute", count)
    return read


def _timed(action: Callable[[], object]) -> float:
    """The shortest of three times: what else the machine does makes a time longer, never shorter."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
