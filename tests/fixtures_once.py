"""What a test process makes once, although each test has an application and a database of its own.

A portal compiles every page and every statement the first time it needs them, which is soon forgotten where it runs
for months. Here it begins anew with each test, so this keeps what was compiled: half of the time went there.
Rows that many tests begin with are written once, and copied from then on. Nothing else is kept; what a test sees is
what it would have made itself.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar, cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine, event, inspect, text
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

import reports.pdf.keys
from portal.core import database
from portal.core.database import Database, make_engine
from portal.tables import METADATA

T = TypeVar("T")


class CompiledPages(BytecodeCache):
    """Pages that were compiled, by their text and all that their compiling looks at."""

    def __init__(self) -> None:
        self.codes: dict[Hashable, CodeType] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        made_with = (
            environment.trim_blocks,
            environment.lstrip_blocks,
            environment.keep_trailing_newline,
            getattr(environment.autoescape, "__qualname__", environment.autoescape),
            environment.undefined,
            environment.finalize,
            frozenset(environment.extensions),
            frozenset(environment.filters),
            frozenset(environment.tests),
        )
        bucket = Bucket(environment, "", "")
        bucket.key = (made_with, name, filename, source)  # type: ignore[assignment]
        bucket.code = self.codes.get(bucket.key)
        return bucket

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.code


#: By all that the making of a rule's addresses looks at: the function that makes them, of any rule that is the same.
_ADDRESSES: dict[Hashable, Callable[..., tuple[str, str]]] = {}
_compile_addresses = Rule._compile_builder


def _addresses_that_were_compiled(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """Each application has the same 190 rules, and Werkzeug compiles two functions for each when it is made."""
    if rule.defaults:
        return _compile_addresses(rule, append_unknown)  # what is written in depends on its converters
    key = (rule.rule, append_unknown, tuple(rule._trace))
    if key not in _ADDRESSES:
        _ADDRESSES[key] = _compile_addresses(rule, append_unknown)
    return _ADDRESSES[key]


#: By kind of database: what SQLAlchemy knows of it, under which statements that were compiled are kept.
_DIALECTS: dict[str, Dialect] = {}
_STATEMENTS: dict[str, LRUCache] = {}


def _engine_that_knows_statements(url: str) -> Engine:
    """An engine of the portal's, beside those before it on the same kind of database."""
    engine = make_engine(url)
    kind = f"{engine.dialect.name}+{engine.dialect.driver}"
    known = _DIALECTS.setdefault(kind, engine.dialect)
    if known is not engine.dialect and known.server_version_info is None:
        # Nobody connected with it yet, so it does not know its server.
        known = _DIALECTS[kind] = engine.dialect
        _STATEMENTS.pop(kind, None)
    engine.dialect = engine.pool._dialect = known
    engine._compiled_cache = _STATEMENTS.setdefault(kind, LRUCache(5_000))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _in_no_hurry_to_the_disk)
    return engine


@contextmanager
def engines_of_their_own() -> Iterator[None]:
    """For whoever changes how an engine works: what is made in the block shares nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "make_engine", make_engine)
        yield


def _in_no_hurry_to_the_disk(connection: sqlite3.Connection, _entry: object) -> None:
    """No test outlives a power cut."""
    connection.execute("PRAGMA synchronous = OFF")


def lay_tables(db: Database) -> None:
    """Every table, in a database that is empty or has them already."""
    file = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and file not in {None, "", ":memory:"}:
        path = Path(str(file))
        if not path.exists() or not path.stat().st_size:
            path.write_bytes(_empty_sqlite())
            return
    elif set(METADATA.tables) <= set(inspect(db.engine).get_table_names()):
        return
    METADATA.create_all(db.engine)


@lru_cache(maxsize=1)
def _empty_sqlite() -> bytes:
    """The file of a database that has every table and no row."""
    folder = Path(tempfile.mkdtemp(prefix="cs-tables-"))
    db = Database(f"sqlite:///{folder / 'db'}")
    METADATA.create_all(db.engine)
    db.dispose()
    try:
        return (folder / "db").read_bytes()
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class _Written:
    """All rows of a database, as its kind gives and takes them fastest, and what their writer answered."""

    answer: Any
    sqlite: sqlite3.Connection | None = None
    copies: tuple[tuple[str, bytes], ...] = ()
    sequences: str = ""


_WRITTEN: dict[Hashable, _Written] = {}

#: How many rows each table has.
_COUNTS = text("SELECT " + ", ".join(f'(SELECT count(*) FROM "{table}")' for table in METADATA.tables))

#: How each sequence stands, as a statement that puts it there again.
_SEQUENCES = """
    SELECT 'SELECT ' || string_agg(
        format('setval(%L, %s, %L)', quote_ident(sequencename), coalesce(last_value, 1), last_value IS NOT NULL), ', ')
    FROM pg_sequences WHERE schemaname = 'public'
"""


def written_once(db: Database, what: Hashable, write: Callable[[], T]) -> T:
    """Have `write` fill the database, and give its answer; the next time for this `what`, put the same rows there.

    The rows follow from what was there, the clock's time and `what` alone: no address, path or key of this test is
    among them. The answer is shared, so it never changes.
    """
    with db.reading() as session:
        before = session.execute(_COUNTS).one()
    key = (db.engine.dialect.name, tuple(before), db.clock(), what)
    written = _WRITTEN.get(key)
    if written is None:
        answer = write()
        with closing(db.engine.raw_connection()) as connection:
            _WRITTEN[key] = _kept(connection.driver_connection, answer)
        return answer
    with closing(db.engine.raw_connection()) as connection:
        _put(connection.driver_connection, written)
    return cast("T", written.answer)


def _kept(connection: Any, answer: Any) -> _Written:
    if isinstance(connection, sqlite3.Connection):
        rows = sqlite3.connect(":memory:")
        connection.backup(rows)
        return _Written(answer, sqlite=rows)
    with connection.cursor() as cursor:
        copies = []
        for table in METADATA.tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as copy:
                rows = b"".join(bytes(part) for part in copy)
            if len(rows) > _NO_ROW:
                copies.append((table, rows))
        (sequences,) = cursor.execute(_SEQUENCES).fetchone()
    connection.rollback()
    return _Written(answer, copies=tuple(copies), sequences=sequences)


#: The length of a binary copy of an empty table: its head and its tail.
_NO_ROW = 21


def _put(connection: Any, written: _Written) -> None:
    if written.sqlite is not None:
        written.sqlite.backup(connection)
        return
    with connection.cursor() as cursor:
        # Triggers and foreign keys do not fire for a replica, so the append-only tables can be emptied too.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in METADATA.tables))
        for table, rows in written.copies:
            with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as copy:
                copy.write(rows)
        cursor.execute(written.sequences)
    connection.commit()


class _RsaKeys:
    """Keys that sign PDF files: to make one takes as long as to render a page, and to read one back two thirds of it.

    The first that a test makes is the first of any other test's, and so on; whatever outlives a test has its own.
    """

    def __init__(self) -> None:
        self.given: int | None = None
        self._kept: list[RSAPrivateKey] = []

    def make(self, public_exponent: int, key_size: int) -> RSAPrivateKey:
        if self.given is None or key_size != reports.pdf.keys.BITS:
            return generate_private_key(public_exponent, key_size)
        if self.given == len(self._kept):
            self._kept.append(generate_private_key(public_exponent, key_size))
        self.given += 1
        return self._kept[self.given - 1]


_RSA_KEYS = _RsaKeys()


@pytest.fixture(autouse=True)
def _keys_from_the_first() -> Iterator[None]:
    _RSA_KEYS.given = 0
    yield
    _RSA_KEYS.given = None


@pytest.fixture(scope="session", autouse=True)
def _what_is_made_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {**Flask.jinja_options, "bytecode_cache": CompiledPages()})
        patch.setattr(Rule, "_compile_builder", _addresses_that_were_compiled)
        patch.setattr(database, "make_engine", _engine_that_knows_statements)
        patch.setattr(reports.pdf.keys, "generate_private_key", _RSA_KEYS.make)
        patch.setattr(reports.pdf.keys, "load_pem_private_key", lru_cache(serialization.load_pem_private_key))
        # As pyHanko reads the key for each signature.
        patch.setattr(serialization, "load_der_private_key", lru_cache(serialization.load_der_private_key))
        # No test outlives a power cut: what was written need not be on the disk.
        patch.setattr(os, "fsync", lambda _file: None)
        yield
    for written in _WRITTEN.values():
        if written.sqlite is not None:
            written.sqlite.close()
    _WRITTEN.clear()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Thousands of tests are made and none is thrown away, so nothing is looked through for what may go.

    Afterwards it is looked a fiftieth as often as otherwise, which took a tenth of each test for what is old.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(35_000, 10, 10)
        gc.enable()
