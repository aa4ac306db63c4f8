"""The database: one engine, one way to write, one way to read.

SQLite and PostgreSQL are both first class. On SQLite a deferred BEGIN loses writers to "database is locked",
so a transaction begins IMMEDIATE and waits for its turn instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine

from portal.core.clock import Clock, system_clock
from portal.core.events import Handlers

E = TypeVar("E", bound=StrEnum)

BUSY_TIMEOUT_MS = 10_000

#: The option of connections that only read, and so need not begin as writers.
_DEFERRED = "countersign_deferred"

#: Integer primary keys: 64 bits on PostgreSQL, SQLite's rowid.
Key = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. Raises ValueError for a naive value."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "A datetime without a time zone cannot be stored"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UTCText(UTCDateTime):
    """The same, but that SQLite keeps it as `datetime.isoformat` writes it, which sorts by time too.

    For a column that repeats what a text says: whoever compares the two need not write one of them anew.
    """

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """A text on SQLite, a time elsewhere."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC. Raises ValueError for a naive value."""
        moment = super().process_bind_param(value, dialect)
        return moment.isoformat() if moment and dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        return super().process_result_value(
            datetime.fromisoformat(value) if isinstance(value, str) else value, dialect
        )


class EnumByValue(TypeDecorator[E], Generic[E]):
    """A StrEnum kept by its value, so that a renamed member changes no row."""

    impl = String(40)
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """The member's value."""
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """The member of this value."""
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """Every table's base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (read by SQLAlchemy as a class attribute)
        datetime: UTCDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


class Database:
    """An engine and the two ways to use it."""

    def __init__(self, url: str, *, clock: Clock = system_clock, handlers: Handlers | None = None) -> None:
        self.engine = make_engine(url)
        self.clock = clock
        self.handlers: Handlers = handlers or {}
        #: What every session carries in its own `info`; the roof may add a part that a lower room needs.
        self.info: dict[str, Any] = {"clock": self.clock, "handlers": self.handlers}
        self._writing = sessionmaker(self.engine, info=self.info, expire_on_commit=False)
        self._reading = sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"),
            info=self.info,
            expire_on_commit=False,
            autoflush=False,
        )
        self._snapshots = sessionmaker(
            self.engine.execution_options(**_snapshot_options(self.engine)),
            info=self.info,
            expire_on_commit=False,
            autoflush=False,
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        Functions given to `after_commit` run once the commit is durable.
        """
        with self._writing() as session:
            with session.begin():
                yield session
                session.flush()
                for last in session.info.pop("before_commit", []):
                    last()
            actions: list[Callable[[], None]] = session.info.pop("after_commit", [])
        for action in actions:
            action()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading only; every statement stands alone and nothing is written."""
        with self._reading() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session for reading only in which every statement sees the same moment; no writer waits for it.

        The moment is that of the first statement.
        """
        with self._snapshots() as session, session.begin():
            yield session
            session.rollback()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def before_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` as the last thing of this transaction, when every other row is written and locked."""
    session.info.setdefault("before_commit", []).append(action)


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` once this transaction is durable; not at all if it is rolled back."""
    session.info.setdefault("after_commit", []).append(action)


def is_sqlite(session: Session) -> bool:
    """Whether the session speaks to SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def make_engine(url: str) -> Engine:
    """An engine with the settings that both databases need."""
    url = normalised_url(url)
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args=_SQLITE_OPTIONS)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        connect_args=_POSTGRESQL_OPTIONS,
    )


_SQLITE_OPTIONS = {"timeout": BUSY_TIMEOUT_MS / 1000}
#: Whatever the role, the database or PGCLIENTENCODING asks for: texts are of any characters.
_POSTGRESQL_OPTIONS = {"connect_timeout": 5, "client_encoding": "utf8"}


def how_to_connect(engine: Engine) -> tuple[str, Sequence[Any], dict[str, Any]]:
    """The driver's module and what its `connect` is given, for a process that has nothing but the driver."""
    arguments, named = engine.dialect.create_connect_args(engine.url)
    sqlite = engine.dialect.name == "sqlite"
    driver = "sqlite3" if sqlite else engine.dialect.driver
    # How SQLAlchemy has psycopg read types is for itself alone.
    named.pop("context", None)
    return driver, arguments, {**named, **(_SQLITE_OPTIONS if sqlite else _POSTGRESQL_OPTIONS)}


def normalised_url(url: str) -> str:
    """The URL with psycopg 3 as PostgreSQL's driver, however it was written."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _snapshot_options(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "sqlite":
        return {_DEFERRED: True}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _begin_immediate(connection: Any) -> None:
    options = connection.get_execution_options()
    if options.get(_DEFERRED):
        # In WAL a reader keeps the moment of its first statement, and nobody waits for it.
        connection.exec_driver_sql("BEGIN")
    elif options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
