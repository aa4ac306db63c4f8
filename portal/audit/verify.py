"""Verification: walks the whole ledger, recomputes everything, and names the first entry that does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import LATEST
from portal.audit.merkle import Frontier, leaf_hash
from portal.audit.model import Checkpoint, Entry, PersonalValue
from portal.audit.notes import Head, NoteError, verify_head
from portal.audit.record import commitment
from portal.audit.tree_check import odd_checkpoints, odd_nodes
from portal.core.canonical import canonical_json
from portal.core.database import Database

CHUNK = 2_000
_COLUMNS = select(Entry.number, Entry.at, Entry.tag, Entry.subject, Entry.actor, Entry.body, Entry.leaf_hash)
Row = Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit. `entry` is the first entry's number, or None when it is about none."""

    entry: int | None
    sentence: str


@dataclass(slots=True)
class Verification:
    """What was walked and what was found; `holds` when nothing was."""

    entries: int = 0
    checkpoints: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything fits."""
        return not self.findings


def verify_ledger(
    db: Database,
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    folder: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verification:
    """Walk every entry and compare the tree with every checkpoint in the folder and in the database.

    `keys` are all public keys that the ledger ever had, the current one last.

    `progress` is told entries done and in all. Stops at the first entry that does not fit.
    """
    result = Verification()
    # Before the database's moment is fixed, so that nothing was published that it does not have yet.
    published = _published(folder)
    with db.snapshot() as session:
        total = session.scalar(select(func.count()).select_from(Entry)) or 0
        heads = list(_heads(session, result, name=name, keys=keys, published=published))
        result.checkpoints = len(heads)
        _walk(session, result, heads, total, progress)
        if result.holds:
            result.findings += [Finding(*odd) for odd in odd_nodes(session)]
        result.findings += [
            Finding(*odd) for odd in odd_checkpoints(session, [source for source, _ in published])
        ]
    return result


def _walk(
    session: Session,
    result: Verification,
    heads: Sequence[tuple[Head, str]],
    total: int,
    progress: Callable[[int, int], None],
) -> None:
    frontier = Frontier()
    waiting = sorted(heads, key=lambda item: item[0].size, reverse=True)
    confirmed = 0
    for rows in _chunks(session):
        personal = _personal_values(session, rows[0].number, rows[-1].number)
        for row in rows:
            expected = frontier.size + 1
            problem = _problem(row, expected, personal.get(row.number, {}))
            if problem:
                result.findings.append(Finding(min(row.number, expected), problem))
                return
            frontier.append(leaf_hash(row.body.encode()))
            while waiting and waiting[-1][0].size == frontier.size:
                head, source = waiting.pop()
                if head.root != frontier.root():
                    result.findings.append(
                        Finding(
                            confirmed + 1,
                            f"Entries {confirmed + 1} to {head.size} are not those that the checkpoint {source} signed.",
                        )
                    )
                    return
                confirmed = head.size
        result.entries = frontier.size
        progress(frontier.size, total)
    result.root = frontier.root().hex()
    for head, source in waiting:
        result.findings.append(
            Finding(
                frontier.size + 1,
                f"The ledger ends at entry {frontier.size}, but the checkpoint {source} signed {head.size}: "
                "entries are missing at the end.",
            )
        )


def _chunks(session: Session) -> Iterator[Sequence[Row]]:
    last = None
    while True:
        query = _COLUMNS.order_by(Entry.number).limit(CHUNK)
        rows = session.execute(query if last is None else query.where(Entry.number > last)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].number


def _problem(row: Row, expected: int, personal: dict[str, tuple[bytes, str]]) -> str:
    """What is wrong with the row, in words; empty when nothing is."""
    if row.number != expected:
        return f"Entry {expected} is missing: the next one is numbered {row.number}."
    if leaf_hash(row.body.encode()) != row.leaf_hash:
        return f"Entry {row.number} was changed: its text does not fit its hash."
    try:
        body = json.loads(row.body)
        canonical = canonical_json(body) == row.body.encode()
    except ValueError:
        return f"Entry {row.number} is not JSON."
    told = {
        "number": row.number,
        "at": row.at.isoformat(),
        "tag": row.tag,
        "subject": row.subject,
        "actor": row.actor,
    }
    if not canonical or any(body.get(name) != value for name, value in told.items()):
        return f"Entry {row.number} was changed: its columns say something else than its sealed text."
    commitments = body.get("personal", {})
    for name, (salt, value) in personal.items():
        if commitments.get(name) != commitment(salt, value):
            return (
                f"Entry {row.number}: the personal value {name!r} is not the one that the entry commits to."
            )
    return ""


def _personal_values(session: Session, first: int, last: int) -> dict[int, dict[str, tuple[bytes, str]]]:
    found: dict[int, dict[str, tuple[bytes, str]]] = {}
    rows = session.execute(
        select(
            PersonalValue.entry_number, PersonalValue.field, PersonalValue.salt, PersonalValue.value
        ).where(PersonalValue.entry_number.between(first, last))
    )
    for number, name, salt, value in rows:
        found.setdefault(number, {})[name] = (salt, value)
    return found


def _heads(
    session: Session,
    result: Verification,
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    published: Sequence[tuple[str, str]],
) -> Iterator[tuple[Head, str]]:
    notes = [
        (f"{size} in the database", note)
        for size, note in session.execute(select(Checkpoint.size, Checkpoint.note).order_by(Checkpoint.size))
    ]
    # Of heads of one size the folder's numbered file is looked at first: nobody reaches it from the database.
    notes += published
    for source, note in notes:
        try:
            yield _verified(note, name, keys), source
        except NoteError as error:
            result.findings.append(Finding(None, f"Checkpoint {source}: {error}."))


def _published(folder: Path | None) -> list[tuple[str, str]]:
    if not folder or not folder.is_dir():
        return []
    outside = [path for path in folder.iterdir() if path.suffix == ".note" or path.name == LATEST]
    return [
        (path.name, path.read_text(encoding="utf-8", errors="replace"))
        for path in sorted(outside, reverse=True)
    ]


def _verified(note: str, name: str, keys: Sequence[Ed25519PublicKey]) -> Head:
    """The head that one of the keys signed, the newest being tried first. Raises NoteError."""
    *older, newest = keys
    try:
        return verify_head(note, name, newest)
    except NoteError:
        for key in older:
            try:
                return verify_head(note, name, key)
            except NoteError:
                continue
        raise
