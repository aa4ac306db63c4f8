"""Whatever a database can be made to hold: verification finds it, names where, and breaks over none of it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import connect, sql
from sqlalchemy import text

from portal.audit import record
from portal.audit.merkle import leaf_hash, root_hash
from portal.audit.model import APPEND_ONLY, Checkpoint
from portal.audit.notes import Head, sign_head
from portal.audit.raw_rows import rows_of
from portal.audit.tree import node_reader
from portal.audit.verify import Verification, verify_ledger
from portal.core.clock import now
from portal.core.database import Database
from portal.core.language import Said
from portal.identity.actor import PORTAL
from portal.tables import METADATA
from tests.fixtures_servers import PostgresServer

NAME = "portal.test/ledger"
KEY = Ed25519PrivateKey.generate()
ENTRIES = 12
TWO = {"first": "sö", "second": "no"}

#: SQLite keeps whatever it is given, so that somebody who edits its file can write what no column should hold. Entries
#: 1 to 10 are signed, the others are not yet.
ODD_KINDS: dict[str, tuple[str, int]] = {
    "a text that is none": ("UPDATE ledger_entry SET body = CAST(x'7bff7d' AS TEXT) WHERE number = 4", 4),
    "a text as bytes": ("UPDATE ledger_entry SET body = CAST(body AS BLOB) WHERE number = 4", 4),
    "a hash as a text that is none": (
        "UPDATE ledger_node SET hash = CAST(x'ff' AS TEXT) WHERE level = 0 AND position = 11",
        12,
    ),
    "a time that is none": ("UPDATE ledger_entry SET at = 5 WHERE number = 4", 4),
    "a time as bytes": ("UPDATE ledger_entry SET at = CAST(at AS BLOB) WHERE number = 4", 4),
    "a time that sorts elsewhere": ("UPDATE ledger_entry SET at = replace(at, 'T', ' ') WHERE number = 4", 4),
    "a time that nobody can read": (
        "UPDATE ledger_entry SET at = substr(at, 1, 4) || '.000000' || substr(at, 5) WHERE number = 4",
        4,
    ),
    "a subject that is none": ("UPDATE ledger_entry SET subject = CAST(x'ff' AS TEXT) WHERE number = 4", 4),
    "a subject as bytes": ("UPDATE ledger_entry SET subject = CAST(subject AS BLOB) WHERE number = 4", 4),
    "a tag as bytes": ("UPDATE ledger_entry SET tag = CAST(tag AS BLOB) WHERE number = 4", 4),
    "an actor as bytes": ("UPDATE ledger_entry SET actor = CAST(actor AS BLOB) WHERE number = 4", 4),
    "a value as bytes": ("UPDATE personal_value SET value = CAST('so' AS BLOB) WHERE entry_number = 7", 7),
    "a value that is no text": (
        "UPDATE personal_value SET value = CAST(x'ff' AS TEXT) WHERE entry_number = 7",
        7,
    ),
    "a value in no language": (
        "UPDATE personal_value SET value = char(57345) || 'so' WHERE entry_number = 7",
        7,
    ),
    "a value that is no word in a language": (
        """UPDATE personal_value SET value = char(57345) || '{"en":"7","de":7}' WHERE entry_number = 7""",
        7,
    ),
    "a salt as text": ("UPDATE personal_value SET salt = hex(salt) WHERE entry_number = 7", 7),
    "a longer salt that makes the same HMAC": (
        "UPDATE personal_value SET salt = CAST(salt || x'00' AS BLOB) WHERE entry_number = 7",
        7,
    ),
    "a field as bytes": ("UPDATE personal_value SET field = CAST(field AS BLOB) WHERE entry_number = 7", 7),
    "a field that repeats more of the text than its name": (
        "UPDATE personal_value SET field = 'first\":\"' || (SELECT substr(body, instr(body, 'hmac-'), 77) "
        "FROM ledger_entry WHERE number = 5) || '\",\"second' WHERE entry_number = 5 AND field = 'second'",
        5,
    ),
    "a node as text": ("UPDATE ledger_node SET hash = hex(hash) WHERE level = 0 AND position = 9", 10),
    "a byte that went from a node to the next": (
        "UPDATE ledger_node SET hash = CASE position WHEN 4 THEN substr(hash, 1, 31) ELSE "
        "CAST((SELECT substr(hash, 32) FROM ledger_node WHERE level = 0 AND position = 4) || hash AS BLOB) END "
        "WHERE level = 0 AND position IN (4, 5)",
        5,
    ),
    "a node beyond": ("INSERT INTO ledger_node VALUES (0, 12, zeroblob(32))", 0),
    "a node before": ("INSERT INTO ledger_node VALUES (0, -1, zeroblob(32))", 0),
    "a node above": ("INSERT INTO ledger_node VALUES (7, 0, zeroblob(32))", 0),
    "a node between two": ("INSERT INTO ledger_node VALUES (0, 11.5, 'x')", 0),
    "a node between two levels": ("INSERT INTO ledger_node VALUES (1.5, 0, zeroblob(32))", 0),
    "a node in no place": ("INSERT INTO ledger_node VALUES (0, 'x', zeroblob(32))", 0),
    "a node where nobody can read": (
        "INSERT INTO ledger_node VALUES (0, CAST(x'ff' AS TEXT), zeroblob(32))",
        0,
    ),
    "a checkpoint as bytes": ("UPDATE ledger_checkpoint SET note = CAST(note AS BLOB) WHERE size = 4", 0),
    "a checkpoint that is no text": (
        "UPDATE ledger_checkpoint SET note = CAST(x'ff' AS TEXT) WHERE size = 4",
        0,
    ),
    "a checkpoint's root as text": ("UPDATE ledger_checkpoint SET root = hex(root) WHERE size = 4", 4),
}


def fill(db: Database, seventh: str = "thing:7") -> None:
    """Twelve entries about things, checkpoints over four and ten of them, and no triggers."""
    METADATA.create_all(db.engine)
    with db.transaction() as session:
        for table in APPEND_ONLY:
            if db.engine.dialect.name == "sqlite":
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
            else:
                session.execute(text(f"DROP TRIGGER {table}_no_change ON {table}"))
    for number in range(1, ENTRIES + 1):
        with db.transaction() as session:
            record(
                session,
                "thing:done" if number % 3 else "thing:döne",
                subject=seventh if number == 7 else f"thing:{number}" if number % 4 else f"größe:{number}",
                actor=PORTAL,
                facts={"größe": number},
                personal=TWO if number == 5 else {"reason": Said({"en": "7", "de": "sieben"})},
            )
        if number in {4, 10}:
            with db.transaction() as session:
                head = Head(NAME, number, root_hash(node_reader(session), number))
                note = sign_head(head, NAME, KEY)
                session.add(Checkpoint(size=number, root=head.root, note=note, at=now(session)))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "ledger.db"
    db = Database(f"sqlite:///{path}")
    fill(db)
    db.dispose()
    return path


def verify(url: str, known: Path | None = None) -> Verification:
    db = Database(url)
    try:
        return verify_ledger(
            db, name=NAME, keys=[KEY.public_key()], folder=None, known=known, whole=known is None
        )
    finally:
        db.dispose()


def changed(file: Path, folder: Path, *statements: str) -> str:
    shutil.copy(file, folder / "ledger.db")
    with sqlite3.connect(folder / "ledger.db") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()
    return f"sqlite:///{folder / 'ledger.db'}"


def test_a_ledger_of_any_characters_holds(file: Path, tmp_path: Path) -> None:
    url = changed(file, tmp_path)
    result = verify(url)
    assert (result.findings, result.entries) == ([], ENTRIES)
    db = Database(url)
    with db.snapshot() as session:
        # None needs a second look: so it is the first look that finds what the tests below change.
        assert len(rows_of(session).fitting(1, ENTRIES)) == ENTRIES
    db.dispose()


@pytest.mark.parametrize("change", ODD_KINDS)
def test_a_value_of_another_kind_is_found_and_breaks_nothing(file: Path, tmp_path: Path, change: str) -> None:
    statement, entry = ODD_KINDS[change]
    result = verify(changed(file, tmp_path, statement))
    assert result.findings
    assert (result.findings[0].entry or 0) == entry, result.findings


@pytest.mark.parametrize("body", ["[]", "5", "null", "[" * 99_999, '{"personal":5}', "NaN"])
def test_a_text_of_another_kind_under_a_fitting_hash_is_found(file: Path, tmp_path: Path, body: str) -> None:
    node = f"SET hash = x'{leaf_hash(body.encode()).hex()}' WHERE level = 0 AND position = 10"
    url = changed(
        file,
        tmp_path,
        f"UPDATE ledger_entry SET body = '{body}' WHERE number = 11",
        f"UPDATE ledger_node {node}",
    )
    result = verify(url)
    assert [finding.entry for finding in result.findings] == [11]


def test_a_column_that_says_its_value_as_json_does_is_found(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'written.db'}")
    fill(db, "C:\\7")
    db.dispose()
    assert verify(changed(tmp_path / "written.db", tmp_path)).findings == []
    url = changed(
        tmp_path / "written.db",
        tmp_path,
        r"UPDATE ledger_entry SET subject = 'C:\\7' WHERE number = 7 AND subject = 'C:\7'",
    )
    assert [finding.entry for finding in verify(url).findings] == [7]


def test_a_value_that_belongs_to_no_entry_breaks_nothing(file: Path, tmp_path: Path) -> None:
    url = changed(file, tmp_path, "UPDATE personal_value SET entry_number = 7.5 WHERE entry_number = 7")
    # That it is not where it was is told with the records, as of every value that is missing.
    assert verify(url).findings == []


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer) -> tuple[PostgresServer, str]:
    name = f"odd_{uuid4().hex[:8]}"
    postgres_server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    db = Database(postgres_server.url(name))
    fill(db)
    db.dispose()
    return postgres_server, name


@pytest.mark.parametrize(
    "setting",
    [
        "timezone = 'Asia/Kathmandu'",
        "standard_conforming_strings = off",
        "bytea_output = 'escape'",
        "client_encoding = 'LATIN1'",
        "datestyle = 'German, DMY'",
    ],
)
def test_what_a_database_sets_for_its_sessions_raises_no_alarm(
    postgres: tuple[PostgresServer, str], setting: str
) -> None:
    server, name = postgres
    database = sql.Identifier(name)
    server.execute(sql.SQL("ALTER DATABASE {} SET {}").format(database, sql.SQL(setting)))
    try:
        result = verify(server.url(name))
        assert (result.findings, result.entries) == ([], ENTRIES)
    finally:
        server.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(database))


def test_a_time_before_christ_is_found(postgres: tuple[PostgresServer, str]) -> None:
    server, name = postgres
    with connect(server.url(name).replace("+psycopg", ""), autocommit=True) as connection:
        (before,) = connection.execute("SELECT at FROM ledger_entry WHERE number = 4").fetchone() or (None,)
        connection.execute(
            "UPDATE ledger_entry SET at = (to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') || ' BC')::timestamp "
            "AT TIME ZONE current_setting('timezone') WHERE number = 4"
        )
        try:
            found = verify(server.url(name)).findings
        finally:
            connection.execute("UPDATE ledger_entry SET at = %s WHERE number = 4", [before])
    assert [finding.entry for finding in found] == [4]


#: Each with the value that is kept of it then; entries 5 and 7 are signed, 12 is not. The fifth is kept in no language.
IN_LANGUAGES = {
    "another German": (7, '\ue001{"en": "7", "de": "acht"}'),
    "another German of what nobody signed": (12, '\ue001{"en": "7", "de": "acht"}'),
    "no German": (7, '\ue001{"en": "7"}'),
    "French too": (7, '\ue001{"en": "7", "de": "sieben", "fr": "sept"}'),
    "English alone": (7, "7"),
    "English alone of what nobody signed": (12, "7"),
    "German where there was none": (5, '\ue001{"en": "no", "de": "nein"}'),
}


@pytest.mark.parametrize("change", IN_LANGUAGES)
def test_a_value_is_committed_to_in_every_language_in_which_it_is_kept(db: Database, change: str) -> None:
    fill(db)
    entry, value = IN_LANGUAGES[change]
    with db.transaction() as session:
        statement = text(
            "UPDATE personal_value SET value = :value WHERE entry_number = :entry AND field != 'first'"
        )
        session.execute(statement, {"value": value, "entry": entry})
    result = verify_ledger(db, name=NAME, keys=[KEY.public_key()], folder=None)
    assert [finding.entry for finding in result.findings] == [entry]
