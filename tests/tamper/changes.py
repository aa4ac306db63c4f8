"""Random changes past the portal: by somebody who may do everything in the database and in the data folder.

Left out, because they change nothing that anybody could be misled by:

* what `portal.audit.sealed_tables` names as unsealed or passing, each with its reason there;
* when a checkpoint was stored (`ledger_checkpoint.at`): its signed note holds no time, and witnesses sign theirs;
* the salt of a row that is no more, or of an erased value: nothing is verified with it;
* a note or an evidence file that is gone from its folder: others hold the first, the second is made again byte for byte.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from portal.audit.sealed_tables import SEALED
from portal.audit.sealing import key_of
from portal.core.append_only import append_only_statements
from portal.core.database import EnumByValue, UTCDateTime
from portal.tables import APPEND_ONLY, METADATA
from tests.tamper.estate import Estate, Found

ENTRY, NODE, CHECKPOINT, PERSONAL, SEAL, SALT = (
    METADATA.tables[name]
    for name in (
        "ledger_entry",
        "ledger_node",
        "ledger_checkpoint",
        "personal_value",
        "ledger_row",
        "row_salt",
    )
)
TRIES = 30


class Nothing(Exception):
    """This choice changes nothing, or the database refuses it: another one is made."""


@dataclass(frozen=True)
class Change:
    """What was done, and whether a finding names it."""

    what: str
    names: Callable[[Found], bool]


def _row(table: str, *keys: str) -> Callable[[Found], bool]:
    return lambda found: found.table == table and found.key in keys


def _entry(*numbers: int) -> Callable[[Found], bool]:
    return lambda found: found.entry in numbers


def _says(*words: str) -> Callable[[Found], bool]:
    return lambda found: any(word in found.sentence for word in words)


# Values ------------------------------------------------------------------------------------------------------------


def another(chance: random.Random, column: Column[Any], value: Any) -> Any:  # noqa: PLR0911, C901  (one line a type)
    """A value of the column's kind that is another one."""
    kind = column.type
    if value is None:
        value = _some(kind)
    elif column.nullable and chance.random() < 0.2:
        return None
    if isinstance(kind, EnumByValue):
        return chance.choice([member for member in kind.kind if member != value] or [value])
    if isinstance(kind, Boolean) or isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, 2, 7))
    if isinstance(value, datetime):
        return value + timedelta(seconds=chance.choice((1, -3600, 86400)))
    if isinstance(value, date):
        return value + timedelta(days=chance.choice((1, -30)))
    if isinstance(value, bytes):
        place = chance.randrange(len(value)) if value else 0
        return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :] if value else b"x"
    if isinstance(value, dict):
        return {**value, chance.choice([*value, "more"]): "otherwise"}
    if isinstance(value, list):
        return value[1:] if value and chance.random() < 0.5 else [*value, "otherwise"]
    longest = getattr(kind, "length", None)
    if value and chance.random() < 0.5:
        place = chance.randrange(len(value))
        return value[:place] + ("y" if value[place] == "x" else "x") + value[place + 1 :]
    return value + "x" if longest is None or len(value) < longest else "x" + value[1:-1]


def _some(kind: Any) -> Any:
    """A value where there was none."""
    if isinstance(kind, EnumByValue):
        return next(iter(kind.kind))
    some = {
        JSON: {},
        UTCDateTime: datetime.fromisoformat("2026-11-18T09:00:00+00:00"),
        Date: date(2026, 11, 18),
        LargeBinary: b"x",
        Boolean: False,
        Integer: 0,
    }
    return next((value for sort, value in some.items() if isinstance(kind, sort)), "")


def _pick(chance: random.Random, at: Connection, table: Table, *where: Any) -> dict[str, Any]:
    rows = at.execute(select(table).where(*where).order_by(*table.primary_key)).mappings().all()
    if not rows:
        raise Nothing
    return dict(chance.choice(rows))


def _is(table: Table, row: dict[str, Any]) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key]


def _key(table: Table, row: dict[str, Any]) -> str:
    return key_of([row[column.name] for column in table.primary_key])


def _sealed_table(chance: random.Random, at: Connection) -> Table:
    """Half of the time one of those that matter most."""
    if chance.random() < 0.5:
        name = chance.choice(
            (
                "request",
                "decision",
                "sealing",
                "step",
                "entitlement",
                "stage",
                "offering_version",
                "membership",
            )
        )
        return METADATA.tables[name]
    return METADATA.tables[chance.choice(list(SEALED))]


# Rows --------------------------------------------------------------------------------------------------------------


def edit_a_row(chance: random.Random, at: Connection, estate: Estate) -> Change:
    table = _sealed_table(chance, at)
    row = _pick(chance, at, table)
    column = chance.choice([column for column in table.columns if column.name not in SEALED[table.name]])
    value = another(chance, column, row[column.name])
    if value == row[column.name]:
        raise Nothing
    at.execute(update(table).where(*_is(table, row)).values({column.name: value}))
    keys = {_key(table, row), _key(table, {**row, column.name: value})}
    return Change(f"{table.name}.{column.name} of {_key(table, row)}", _row(table.name, *keys))


def write_what_no_column_holds(chance: random.Random, at: Connection, estate: Estate) -> Change:
    """SQLite keeps any text in any column."""
    if at.dialect.name != "sqlite":
        return edit_a_row(chance, at, estate)
    table = _sealed_table(chance, at)
    row = _pick(chance, at, table)
    columns = [
        column
        for column in table.columns
        if column.name not in SEALED[table.name]
        and not column.primary_key
        and column.type.__class__.__name__ in {"UTCDateTime", "EnumByValue", "JSON"}
    ]
    if not columns:
        raise Nothing
    column = chance.choice(columns)
    where = " AND ".join(f'"{one.name}" = :{one.name}' for one in table.primary_key)
    keys = {one.name: row[one.name] for one in table.primary_key}
    at.execute(text(f'UPDATE "{table.name}" SET "{column.name}" = \'no such thing\' WHERE {where}'), keys)
    return Change(f"{table.name}.{column.name} unreadable", _row(table.name, _key(table, row)))


def remove_a_row(chance: random.Random, at: Connection, estate: Estate) -> Change:
    table = _sealed_table(chance, at)
    row = _pick(chance, at, table)
    at.execute(delete(table).where(*_is(table, row)))
    return Change(f"{table.name} {_key(table, row)} removed", _row(table.name, _key(table, row)))


def remove_a_row_with_its_seals(chance: random.Random, at: Connection, estate: Estate) -> Change:
    table = _sealed_table(chance, at)
    row = _pick(chance, at, table)
    key = _key(table, row)
    numbers = at.scalars(
        select(SEAL.c.entry_number).where(SEAL.c.table_name == table.name, SEAL.c.row_key == key)
    ).all()
    at.execute(delete(table).where(*_is(table, row)))
    at.execute(delete(SEAL).where(SEAL.c.table_name == table.name, SEAL.c.row_key == key))
    at.execute(delete(SALT).where(SALT.c.table_name == table.name, SALT.c.row_key == key))
    return Change(f"{table.name} {key} removed with its seals", _entry(*numbers))


def add_a_row(chance: random.Random, at: Connection, estate: Estate) -> Change:
    table = _sealed_table(chance, at)
    row = _pick(chance, at, table)
    for column in table.columns:
        alone = column.unique or any(
            column.name in constraint.columns and constraint is not table.primary_key
            for constraint in table.constraints
            if type(constraint).__name__ == "UniqueConstraint"
        )
        if column.primary_key and isinstance(row[column.name], int):
            row[column.name] = (at.scalar(select(func.max(column))) or 0) + 1
        elif (column.primary_key or alone) and not (column.nullable and row[column.name] is None):
            row[column.name] = another(chance, column, row[column.name]) or row[column.name]
    at.execute(insert(table).values(row))
    return Change(f"{table.name} {_key(table, row)} added", _row(table.name, _key(table, row)))


def exchange_two_rows(chance: random.Random, at: Connection, estate: Estate) -> Change:
    table = METADATA.tables[
        chance.choice(("request", "decision", "step", "sealing", "stage", "entitlement", "person"))
    ]
    one, other = _pick(chance, at, table), _pick(chance, at, table)
    names = [column.name for column in table.columns if not column.primary_key]
    if all(one[name] == other[name] for name in names if name not in SEALED[table.name]):
        raise Nothing
    # Their keys change places, by a third one, so that no constraint is in the way.
    (primary,) = table.primary_key
    for old, new in ((one["id"], -1), (other["id"], one["id"]), (-1, other["id"])):
        at.execute(update(table).where(primary == old).values({primary.name: new}))
    return Change(
        f"{table.name} {one['id']} and {other['id']} exchanged",
        _row(table.name, str(one["id"]), str(other["id"])),
    )


def put_an_older_state_back(chance: random.Random, at: Connection, estate: Estate) -> Change:
    """A row as it was early in the story, with the seal that it had then."""
    candidates = []
    for (name, _), then in estate.early.items():
        table = METADATA.tables[name]
        now = at.execute(select(table).where(*_is(table, then))).mappings().first()
        if now and any(now[column] != then[column] for column in then if column not in SEALED[name]):
            candidates.append((table, then))
    table, then = chance.choice(candidates)
    key = _key(table, then)
    at.execute(update(table).where(*_is(table, then)).values(then))
    what = f"{table.name} {key} as it was"
    numbers: set[int] = set()
    if chance.random() < 0.5:
        ours = (SEAL.c.table_name == table.name) & (SEAL.c.row_key == key)
        numbers = set(
            at.scalars(select(SEAL.c.entry_number).where(ours, SEAL.c.entry_number > estate.early_size))
        )
        at.execute(delete(SEAL).where(ours, SEAL.c.entry_number > estate.early_size))
        what += ", its newer seals removed"
    return Change(what, lambda found: found.entry in numbers or _row(table.name, key)(found))


# The ledger --------------------------------------------------------------------------------------------------------


def edit_an_entry(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, ENTRY)
    column = chance.choice(list(ENTRY.columns))
    value = another(chance, column, row[column.name])
    if column.name == "body" and chance.random() < 0.5:
        body = json.loads(row["body"])
        body["actor"] = "person:1" if body["actor"] != "person:1" else "person:2"
        value = json.dumps(body, sort_keys=True, separators=(",", ":"))
    at.execute(update(ENTRY).where(*_is(ENTRY, row)).values({column.name: value}))
    return Change(f"ledger_entry.{column.name} of {row['number']}", _entry(row["number"]))


def remove_an_entry(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, ENTRY)
    at.execute(delete(ENTRY).where(*_is(ENTRY, row)))
    return Change(f"entry {row['number']} removed", _entry(row["number"]))


def add_an_entry(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, ENTRY)
    row["number"] = chance.choice(((at.scalar(select(func.max(ENTRY.c.number))) or 0) + 1, 0))
    at.execute(insert(ENTRY).values(row))
    return Change(f"entry {row['number']} added", _entry(row["number"]))


def exchange_two_entries(chance: random.Random, at: Connection, estate: Estate) -> Change:
    one, other = _pick(chance, at, ENTRY), _pick(chance, at, ENTRY)
    if one == other:
        raise Nothing
    for old, new in ((one["number"], -1), (other["number"], one["number"]), (-1, other["number"])):
        at.execute(update(ENTRY).where(ENTRY.c.number == old).values(number=new))
    return Change(
        f"entries {one['number']} and {other['number']} exchanged",
        _entry(min(one["number"], other["number"])),
    )


def cut_the_end_off(chance: random.Random, at: Connection, estate: Estate) -> Change:
    """As thoroughly as somebody would who knows the tables."""
    last = at.scalar(select(func.max(ENTRY.c.number))) or 0
    left = last - chance.randint(1, last // 2)
    at.execute(delete(ENTRY).where(ENTRY.c.number > left))
    for node in at.execute(select(NODE)).mappings().all():
        if ((node["position"] + 1) << node["level"]) > left:
            at.execute(delete(NODE).where(*_is(NODE, dict(node))))
    at.execute(delete(CHECKPOINT).where(CHECKPOINT.c.size > left))
    at.execute(delete(SEAL).where(SEAL.c.entry_number > left))
    at.execute(delete(PERSONAL).where(PERSONAL.c.entry_number > left))
    return Change(f"everything after entry {left} cut off", _entry(left + 1))


def change_a_node(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, NODE)
    level, position = row["level"], row["position"]
    act = chance.choice(("edited", "removed", "added"))
    if act == "edited":
        at.execute(update(NODE).where(*_is(NODE, row)).values(hash=another(chance, NODE.c.hash, row["hash"])))
    elif act == "removed":
        at.execute(delete(NODE).where(*_is(NODE, row)))
    else:
        level = chance.choice((level, level + 30))
        position = (at.scalar(select(func.max(NODE.c.position)).where(NODE.c.level == level)) or 0) + 1
        at.execute(insert(NODE).values(level=level, position=position, hash=row["hash"]))
    first = (position << level) + 1
    return Change(
        f"node {level}/{position} {act}",
        lambda found: found.entry == first or f"node {level}/{position} " in found.sentence,
    )


def change_a_checkpoint(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, CHECKPOINT)
    act = chance.choice(("size", "root", "note", "removed", "added"))
    size = row["size"]
    if act == "removed":
        at.execute(delete(CHECKPOINT).where(*_is(CHECKPOINT, row)))
    elif act == "added":
        row["size"] = next(
            number
            for number in range(1, 10_000)
            if not at.scalar(select(CHECKPOINT.c.size).where(CHECKPOINT.c.size == number))
        )
        at.execute(insert(CHECKPOINT).values(row))
        size = row["size"]
    elif act == "size":
        at.execute(update(CHECKPOINT).where(*_is(CHECKPOINT, row)).values(size=size + 1))
    else:
        column = CHECKPOINT.c[act]
        value = row[act]
        while value == row[act] or (act == "note" and _same_note(value, row[act])):
            value = another(chance, column, row[act])
        at.execute(update(CHECKPOINT).where(*_is(CHECKPOINT, row)).values({act: value}))
    return Change(
        f"checkpoint {size} {act}", lambda found: found.entry == size or f"{size} " in found.sentence
    )


def _same_note(one: str, other: str) -> bool:
    """Notes that differ in nothing that is signed, nor in a signature: a letter behind the last line."""
    return one.startswith(other)


def change_a_personal_value(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, PERSONAL)
    act = chance.choice(("salt", "value", "field", "removed", "added"))
    if act == "removed":
        at.execute(delete(PERSONAL).where(*_is(PERSONAL, row)))
    elif act == "added":
        at.execute(insert(PERSONAL).values({**row, "field": row["field"] + "2"}))
    else:
        at.execute(
            update(PERSONAL)
            .where(*_is(PERSONAL, row))
            .values({act: another(chance, PERSONAL.c[act], row[act])})
        )
    return Change(
        f"personal value {row['field']} of {row['entry_number']} {act}", _entry(row["entry_number"])
    )


def change_a_seal(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, SEAL)
    act = chance.choice(("table_name", "row_key", "entry_number", "seal", "removed", "added"))
    number = row["entry_number"]
    if act == "removed":
        at.execute(delete(SEAL).where(*_is(SEAL, row)))
    elif act == "added":
        at.execute(insert(SEAL).values({**row, "row_key": row["row_key"] + "0"}))
    else:
        value = another(chance, SEAL.c[act], row[act])
        at.execute(update(SEAL).where(*_is(SEAL, row)).values({act: value}))
    return Change(f"seal of {row['table_name']} {row['row_key']} by {number}: {act}", _entry(number))


def change_a_salt(chance: random.Random, at: Connection, estate: Estate) -> Change:
    row = _pick(chance, at, SALT, SALT.c.salt != b"")
    table, key = row["table_name"], row["row_key"]
    act = chance.choice(("salt", "removed", "added"))
    if act == "removed":
        at.execute(delete(SALT).where(*_is(SALT, row)))
    elif act == "added":
        key += "0000"
        at.execute(insert(SALT).values({**row, "row_key": key}))
    else:
        at.execute(update(SALT).where(*_is(SALT, row)).values(salt=another(chance, SALT.c.salt, row["salt"])))
    return Change(
        f"salt of {table} {key} {act}", lambda found: _row(table, key)(found) or found.key == f"{table}/{key}"
    )


# Files -------------------------------------------------------------------------------------------------------------


def change_an_attached_file(chance: random.Random, at: Connection, estate: Estate) -> Change:
    path = chance.choice(sorted(path for path in estate.store.folder.glob("??/??/*")))
    if chance.random() < 0.3:
        path.unlink()
        return Change("attached file removed", lambda found: found.table == "attachment")
    _flip(chance, path)
    return Change("attached file changed", lambda found: found.table == "attachment")


def change_an_evidence_file(chance: random.Random, at: Connection, estate: Estate) -> Change:
    path = chance.choice(sorted(estate.world.bench.folder.glob("*.pdf")))
    _flip(chance, path)
    return Change(f"evidence {path.name[:8]} changed", _says(path.name))


def change_a_published_note(chance: random.Random, at: Connection, estate: Estate) -> Change:
    path = chance.choice(sorted(estate.signer.folder.glob("*.note")))
    note = path.read_text(encoding="utf-8")
    place = chance.choice([place for place, letter in enumerate(note) if letter.isalnum()])
    path.write_text(note[:place] + ("b" if note[place] != "b" else "c") + note[place + 1 :], encoding="utf-8")
    return Change(f"note {path.name} changed", _says(path.name))


def _flip(chance: random.Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def restore_an_old_backup(chance: random.Random, at: Connection, estate: Estate) -> Change:
    """Made by the runner, which has the backup: the whole database, older than what was published."""
    raise NotImplementedError


#: Each kind with its share of all changes.
KINDS: dict[str, tuple[Callable[[random.Random, Connection, Estate], Change], int]] = {
    "a row edited": (edit_a_row, 30),
    "a row made unreadable": (write_what_no_column_holds, 2),
    "a row removed": (remove_a_row, 8),
    "a row removed with its seals": (remove_a_row_with_its_seals, 4),
    "a row added": (add_a_row, 8),
    "two rows exchanged": (exchange_two_rows, 7),
    "an older state of a row put back": (put_an_older_state_back, 5),
    "an entry edited": (edit_an_entry, 7),
    "an entry removed": (remove_an_entry, 3),
    "an entry added": (add_an_entry, 2),
    "two entries exchanged": (exchange_two_entries, 3),
    "the end cut off": (cut_the_end_off, 2),
    "a node changed": (change_a_node, 4),
    "a checkpoint changed": (change_a_checkpoint, 4),
    "a personal value changed": (change_a_personal_value, 4),
    "a seal changed": (change_a_seal, 4),
    "a salt changed": (change_a_salt, 2),
    "an attached file changed": (change_an_attached_file, 1),
    "an evidence file changed": (change_an_evidence_file, 1),
    "a published note changed": (change_a_published_note, 1),
    "an old backup restored": (restore_an_old_backup, 1),
}


def apply(kind: str, chance: random.Random, estate: Estate) -> Change:
    """Make one random change of the kind."""
    if kind == "an old backup restored":
        # The files stay: what was published lies elsewhere.
        estate.bring_back("early", files=False)
        return Change("the database as it was early", _entry(estate.early_size + 1))
    for _ in range(TRIES):
        try:
            with estate.db.engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    # It takes this before a transaction only; the connection is closed before anybody else has it.
                    connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
                with connection.begin():
                    _open_up(connection)
                    return KINDS[kind][0](chance, connection, estate)
        except (Nothing, DBAPIError):
            continue
    message = f"no change of the kind {kind!r} was possible"
    raise AssertionError(message)


def _open_up(at: Connection) -> None:
    """What a superuser does first: no trigger and no foreign key stands in the way."""
    if at.dialect.name != "sqlite":
        at.execute(text("SET LOCAL session_replication_role = replica"))
        return
    for table in APPEND_ONLY:
        for statement in append_only_statements(table, "sqlite"):
            at.execute(text(f"DROP TRIGGER IF EXISTS {statement.split()[2]}"))
