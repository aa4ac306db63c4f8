"""A checkpoint that somebody kept, compared with the ledger as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.audit.holders.cosignatures import WitnessKey, find_cosignature
from portal.audit.merkle import root_hash
from portal.audit.model import Entry
from portal.audit.notes import NoteError, read_verifier_key, verify_head_by
from portal.audit.tree import node_reader
from portal.core.database import Database


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether the ledger begins with what the checkpoint states, and a sentence that says so."""

    fits: bool
    sentence: str


def compare_note(
    db: Database, note: str, verifiers: Sequence[str], witnesses: Iterable[WitnessKey] = ()
) -> Comparison:
    """Compare a checkpoint that one of these keys (name+hash+key) signed with the ledger's tree."""
    try:
        head = verify_head_by(note, [read_verifier_key(verifier) for verifier in verifiers])
        seen = [found for witness in witnesses if (found := find_cosignature(note, witness))]
    except NoteError as error:
        return Comparison(fits=False, sentence=f"{error}.")
    with db.reading() as session:
        size = session.scalar(select(func.max(Entry.number))) or 0
        if head.size > size:
            return Comparison(
                fits=False,
                sentence=f"It states {head.size} entries, but the ledger has only {size}: entries are missing at the end.",
            )
        if root_hash(node_reader(session), head.size) != head.root:
            return Comparison(
                fits=False, sentence=f"The first {head.size} entries are not those that it states."
            )
    by = "".join(f" {found.witness.name} saw it at {found.at:%Y-%m-%d %H:%M} UTC." for found in seen)
    return Comparison(
        fits=True, sentence=f"The ledger of {size} entries begins with the {head.size} that it states.{by}"
    )
