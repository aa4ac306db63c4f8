"""Noticing which sealed rows a transaction writes, where SQLAlchemy writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Delete, Insert, Table, Update, inspect, select
from sqlalchemy.event import listens_for
from sqlalchemy.orm import ORMExecuteState, Session

from portal.audit.record import due
from portal.audit.sealed_tables import SEALED
from portal.audit.sealing import VALUES, touched
from portal.core.database import Base


def _touch(session: Session, table: str, keys: Iterable[tuple[Any, ...]]) -> None:
    rows = touched(session).setdefault(table, set())
    rows.update(keys)
    if rows:
        due(session)


@listens_for(Session, "after_flush")
def _collect(session: Session, _context: Any) -> None:
    if "clock" not in session.info:
        return  # not a session of the portal's database
    dirty = set(session.dirty)
    for row in (*session.new, *dirty, *session.deleted):
        state = inspect(row)
        table = state.mapper.local_table
        if table.name not in SEALED and not (table.name == VALUES and row in session.deleted):
            continue
        if row in dirty and not _means_something(state, table):
            continue
        _touch(session, table.name, [tuple(state.mapper.primary_key_from_instance(row))])


def _means_something(state: Any, table: Table) -> bool:
    passing = SEALED[table.name]
    return any(
        attribute.history.has_changes()
        for attribute in state.attrs
        if attribute.key in state.mapper.column_attrs
        and state.mapper.column_attrs[attribute.key].columns[0].name not in passing
    )


@listens_for(Session, "do_orm_execute")
def _collect_in_bulk(state: ORMExecuteState) -> None:
    statement = state.statement
    if "clock" not in state.session.info or not isinstance(statement, Insert | Update | Delete):
        return
    table = statement.table
    if not isinstance(table, Table):
        return
    if table.name not in SEALED and not (table.name == VALUES and isinstance(statement, Delete)):
        return
    if isinstance(statement, Insert) or state.is_executemany:
        message = f"Rows of {table.name} are sealed: add them one by one, so that they are not written past the ledger"
        raise RuntimeError(message)
    # SQLAlchemy tells nowhere else which columns a statement sets.
    columns = statement._values or () if isinstance(statement, Update) else ()  # noqa: SLF001
    if columns and all(getattr(column, "name", column) in SEALED[table.name] for column in columns):
        return
    table = Base.metadata.tables[table.name]
    chosen = select(*table.primary_key)
    if statement.whereclause is not None:
        chosen = chosen.where(statement.whereclause)
    _touch(state.session, table.name, [tuple(row) for row in state.session.execute(chosen)])
