"""What there is at the end, written so that two runs can be compared: rows, ledger, mails that arrived, effects."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.fulfilment.model import Step
from catalog.requests import tags
from portal.audit.model import Checkpoint, Entry, Node, PersonalValue, RowSalt, SealedRow
from portal.audit.record import RECORDS_KEPT
from portal.audit.verify import verify_ledger
from portal.jobs import Task
from portal.tables import METADATA
from reports.evidence import tags as evidence_tags
from tests.chaos.small_world import SmallWorld

#: Told from the ledger's entries, and compared there.
_OF_THE_LEDGER = {
    model.__tablename__ for model in (Entry, Node, PersonalValue, Checkpoint, SealedRow, RowSalt)
}
#: What a second try changes and may: how often it was tried, what was found when it went on.
_OF_THE_TRY = {
    Task.__tablename__: {"attempts", "fence", "last_error", "rung_at", "run_at", "lease_until"},
    Step.__tablename__: {"outcome"},
}
#: These name rows by number, and PostgreSQL gives a number that was rolled back to nobody.
_NUMBERED = {(Task.__tablename__, column) for column in ("payload", "dedupe_key", "subject")}
_FACTS_OF_THE_TRY = {tags.STEP_APPLIED: {"found"}}
_DIGITS = re.compile(r"\d+")
#: Whoever presses again after an error takes the file again, and a step that begins again is written down again; the
#: ledger tells of both.
_EACH_TIME = {evidence_tags.DOWNLOADED, RECORDS_KEPT}


@dataclass
class EndState:
    """Rows of each table by column, without keys; entries as tag, subject, actor and facts; what happened outside."""

    rows: dict[str, list[dict[str, str]]]
    entries: Counter[str]
    acts: tuple[tuple[Any, ...], ...]
    mails: Counter[tuple[str, str]]


def end_state(world: SmallWorld, mails: Iterable[tuple[str, str, str]]) -> EndState:
    """Read everything. `mails` are Message-ID, recipient and subject of what arrived; a copy has the same ID."""
    with world.db.reading() as session:
        entries = [json.loads(body) for body in session.scalars(select(Entry.body).order_by(Entry.number))]
        rows = {}
        for table in METADATA.sorted_tables:
            if table.name not in _OF_THE_LEDGER:
                left_out = {column.name for column in table.columns if column.primary_key}
                left_out |= {
                    key.parent.name
                    for key in table.foreign_keys
                    if key.column.table.name not in {"person", "group"}
                }
                left_out |= _OF_THE_TRY.get(table.name, set())
                rows[table.name] = [
                    {
                        name: _DIGITS.sub("#", _text(value))
                        if (table.name, name) in _NUMBERED
                        else _text(value)
                        for name, value in row._mapping.items()
                        if name not in left_out
                    }
                    for row in session.execute(select(table))
                ]
    return EndState(
        rows,
        Counter(_told(entry) for entry in entries),
        (
            tuple(world.shelf.acts),
            tuple(world.rack.acts),
            tuple(sorted(world.shelf.shelf)),
            tuple(sorted(world.rack.shelf)),
        ),
        Counter((to, subject) for _, to, subject in set(mails)),
    )


def volatile(one: EndState, other: EndState) -> set[tuple[str, str]]:
    """Columns that differ between two clean runs: random numbers, keys, and what is made of them."""
    found = set()
    for table, rows in one.rows.items():
        for column in rows[0] if rows else ():
            if sorted(row[column] for row in rows) != sorted(row[column] for row in other.rows[table]):
                found.add((table, column))
    return found


def differences(clean: EndState, found: EndState, ignored: set[tuple[str, str]]) -> list[str]:
    """What is not as after the clean run, in words."""
    said = []
    for table, rows in clean.rows.items():
        wanted = Counter(_row(table, row, ignored) for row in rows)
        got = Counter(_row(table, row, ignored) for row in found.rows[table])
        said += [f"{table}: missing {row}" for row in (wanted - got)]
        said += [f"{table}: too many {row}" for row in (got - wanted)]
    said += [f"ledger: missing {entry}" for entry in (clean.entries - found.entries)]
    said += [
        f"ledger: too many {entry}"
        for entry in (found.entries - clean.entries)
        if entry not in clean.entries or json.loads(entry)[0] not in _EACH_TIME
    ]
    if clean.acts != found.acts:
        said.append(f"targets: {found.acts} instead of {clean.acts}")
    if clean.mails != found.mails:
        said.append(f"mails: {found.mails} instead of {clean.mails}")
    return said


def broken_ledger(world: SmallWorld) -> list[str]:
    """What the verification finds wrong."""
    signer = world.portal.signer
    result = verify_ledger(world.db, name=signer.name, keys=signer.public_keys, folder=signer.folder)
    return [finding.sentence for finding in result.findings]


def _told(entry: dict[str, Any]) -> str:
    tag = entry["tag"]
    facts = {
        name: value
        for name, value in entry["facts"].items()
        # Keys of rows and digests over them differ from run to run.
        if name not in _FACTS_OF_THE_TRY.get(tag, set())
        and isinstance(value, str | list)
        and "sha256" not in str(value)
        and name not in {"seal", "key", "file", "auth_time"}
    }
    return json.dumps(
        [tag, entry["subject"], entry["actor"], facts, sorted(entry["personal"])], sort_keys=True
    )


def _row(table: str, row: dict[str, str], ignored: set[tuple[str, str]]) -> str:
    return json.dumps({name: value for name, value in row.items() if (table, name) not in ignored})


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
