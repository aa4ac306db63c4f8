"""Rotation of the ledger's key: what the ledger says of it, and how a verifier that knows an old key follows to the new.

The signer states each rotation by a note that the old key and the new have signed. The ledger keeps that statement in
an entry, and during the overlap every checkpoint carries both signatures: so the entry comes under a checkpoint that
the old key signed as well, and from there a consistency proof leads to any later one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import Signer, checkpoint, not_signed
from portal.audit.merkle import NodeReader, consistency_proof, inclusion_proof
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import NoteError, is_signed_by
from portal.audit.proofs import ProvenEntry, proven_entries
from portal.audit.record import record
from portal.audit.signer.notary import SignerState
from portal.audit.signer.refusals import NotNow, SignerError
from portal.audit.signer.statement import Rotation, read_statement
from portal.audit.tree import node_reader
from portal.core.database import Database
from portal.identity.actor import PORTAL

KEY_ROTATED = "ledger:key-rotated"
SUBJECT = "ledger-key"
OVERLAP_DAYS = 30
_AT_A_TIME = 50


@dataclass(frozen=True, slots=True)
class KeyLink:
    """One rotation, provable to whoever has the old key: see the fields of `RotationPart` in reports.evidence."""

    entry: ProvenEntry
    checkpoint: str
    inclusion: tuple[str, ...]
    consistency: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As evidence carries it."""
        return {
            "entry": self.entry.to_json(),
            "checkpoint": self.checkpoint,
            "inclusion": list(self.inclusion),
            "consistency": list(self.consistency),
        }


@dataclass(frozen=True, slots=True)
class KeyChain:
    """The key by which a checkpoint is to be verified, and how one comes to it from the ledger's first."""

    verifier: str
    links: tuple[KeyLink, ...] = ()

    def to_json(self) -> list[dict[str, Any]]:
        """The links, oldest first."""
        return [link.to_json() for link in self.links]


def key_chain(session: Session, head: Checkpoint, first: str) -> KeyChain:
    """The newest key that signed this checkpoint and to which entries under it lead.

    `first` is the ledger's first key. The same checkpoint gives the same chain, whatever was rotated later.
    """
    entries = [
        entry
        for entry in proven_entries(session, (SUBJECT,), size=head.size)
        if json.loads(entry.body)["tag"] == KEY_ROTATED
    ]
    links: list[KeyLink] = []
    chosen = KeyChain(first)
    node = node_reader(session)
    for entry in entries:
        # An entry that does not follow from the one before is nobody's word; verifiers would refuse it too.
        if not _follows(entry, links[-1].entry if links else None, first):
            continue
        link = _link(session, node, entry, head)
        if link is None:
            break
        links.append(link)
        new = str(json.loads(entry.body)["facts"]["new"])
        if is_signed_by(head.note, new):
            chosen = KeyChain(new, tuple(links))
    return chosen


def note_rotations(db: Database, signer: Signer, state: SignerState) -> int:
    """Record each rotation that the signer stated and the ledger does not know yet; says how many."""
    if not state.statements:
        return 0
    stated = [(note, _read(note)) for note in state.statements]
    wanted = {note for note, rotation in stated if rotation}
    with db.reading() as session:
        if wanted <= set(_recorded(session)):
            return 0
    added = 0
    with db.transaction() as session:
        known = _recorded(session)
        for note, rotation in stated:
            if rotation and note not in known and rotation.origin == signer.name:
                _record(session, rotation, note, state)
                added += 1
    return added


def rotate(db: Database, signer: Signer, *, overlap: timedelta) -> SignerState:
    """A new ledger key beside the old one: stated by the signer, recorded, and under a checkpoint of both keys.

    One that was begun and did not get into the ledger is completed first, instead of beginning another.
    Raises NotSigned, and NotNow with a sentence while an overlap is under way.
    """
    state = signer.state()
    if note_rotations(db, signer, state) == 0:
        try:
            state = signer.desk.rotate(overlap)
        except NotNow:
            raise
        except SignerError as error:
            raise not_signed(error) from error
        note_rotations(db, signer, state)
    checkpoint(db, signer)
    return state


def _read(note: str) -> Rotation | None:
    try:
        return read_statement(note)
    except NoteError:
        return None  # not a statement that anybody could check


def _record(session: Session, stated: Rotation, note: str, state: SignerState) -> None:
    until = state.overlap_until if stated.new == state.verifiers[-1] else None
    record(
        session,
        KEY_ROTATED,
        subject=SUBJECT,
        actor=PORTAL,
        facts={
            "old": stated.old,
            "new": stated.new,
            "statement": note,
            "overlap_until": until.isoformat() if until else None,
        },
    )


def _recorded(session: Session) -> Sequence[str]:
    bodies = session.scalars(
        select(Entry.body).where(Entry.subject == SUBJECT, Entry.tag == KEY_ROTATED).order_by(Entry.number)
    )
    return [str(json.loads(body)["facts"].get("statement")) for body in bodies]


def _follows(entry: ProvenEntry, before: ProvenEntry | None, first: str) -> bool:
    facts = json.loads(entry.body)["facts"]
    try:
        stated = read_statement(str(facts.get("statement")))
    except NoteError:
        return False
    present = json.loads(before.body)["facts"]["new"] if before else first
    return (stated.old, stated.new) == (facts.get("old"), facts.get("new")) == (present, stated.new)


def _link(session: Session, node: NodeReader, entry: ProvenEntry, head: Checkpoint) -> KeyLink | None:
    facts = json.loads(entry.body)["facts"]
    bridge = _bridge(session, entry.number, head, (facts["old"], facts["new"]))
    if bridge is None:
        return None
    return KeyLink(
        entry=entry,
        checkpoint=bridge.note,
        inclusion=_encoded(inclusion_proof(node, entry.number - 1, bridge.size)),
        consistency=_encoded(consistency_proof(node, bridge.size, head.size)),
    )


def _bridge(session: Session, number: int, head: Checkpoint, keys: tuple[str, str]) -> Checkpoint | None:
    """The first checkpoint that contains the entry and that both keys signed."""
    last = number - 1
    while True:
        rows = session.scalars(
            select(Checkpoint)
            .where(Checkpoint.size > last, Checkpoint.size <= head.size)
            .order_by(Checkpoint.size)
            .limit(_AT_A_TIME)
        ).all()
        for row in rows:
            if all(is_signed_by(row.note, key) for key in keys):
                return row
        if len(rows) < _AT_A_TIME:
            return None
        last = rows[-1].size


def _encoded(steps: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(base64.b64encode(step).decode() for step in steps)
