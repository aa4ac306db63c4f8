"""Checkpoints whose signatures an earlier round verified: the ledger's own entry about it holds the digest of them.

A portal signs every hundred entries, or every minute in which something happens, so that most of a ledger's verification
would be signatures that were verified before. Whoever changes one of those checkpoints cannot change what the entry
says of them without changing the ledger.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.fitting import Rows
from portal.audit.model import Entry
from portal.audit.notes import Head, NoteError, read_head
from portal.audit.rounds.tags import VERIFIED

#: So many rounds are looked at for one that read all.
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Vouched:
    """The heads of these notes, by their texts, and the number of the entry that vouches for them."""

    entry: int
    heads: dict[str, Head]


def digest_of_checkpoints(checkpoints: Rows, size: int) -> str:
    """`sha256:` over the notes of at most this size, in order; each stands there as size, root and note."""
    digest = hashlib.sha256()
    for stated, _, note in checkpoints:
        if stated <= size:
            digest.update(hashlib.sha256(str(note).encode()).digest())
    return f"sha256:{digest.hexdigest()}"


def facts_of(checkpoints: Rows) -> dict[str, Any]:
    """What an entry that vouches for these checkpoints states of them."""
    size = max((stated for stated, _, _ in checkpoints), default=0)
    return {"checkpoints_until": size, "checkpoints": digest_of_checkpoints(checkpoints, size)}


def vouched_for(session: Session, checkpoints: Rows) -> Vouched | None:
    """What the last whole round vouches for, if these are still the same; whether its entry is genuine is not told."""
    rounds = select(Entry.number, Entry.body).where(Entry.tag == VERIFIED).order_by(Entry.number.desc())
    for entry in session.execute(rounds.limit(ROUNDS)):
        try:
            facts = json.loads(entry.body)["facts"]
            if "checkpoints" not in facts:
                continue
            until = int(facts["checkpoints_until"])
            if facts["checkpoints"] != digest_of_checkpoints(checkpoints, until):
                return None
            notes = [note for size, _, note in checkpoints if size <= until]
            return Vouched(entry.number, {note: read_head(note) for note in notes})
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, NoteError):
            return None
    return None
