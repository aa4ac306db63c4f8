"""Proofs for evidence: entries of one subject, each shown to be in the tree that a checkpoint signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.merkle import inclusion_proof
from portal.audit.model import Entry, PersonalValue
from portal.audit.tree import node_reader


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry's exact text, the values behind its commitments, and its proof up to a checkpoint's root."""

    number: int
    body: str
    personal: dict[str, dict[str, str]]
    proof: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As evidence carries it; hashes, salts and proofs are base64."""
        return {
            "number": self.number,
            "body": json.loads(self.body),
            "personal": self.personal,
            "inclusion": list(self.proof),
        }


def proven_entries(session: Session, subjects: Sequence[str], *, size: int) -> list[ProvenEntry]:
    """The entries about these subjects among the first `size`, in order, with their inclusion proofs."""
    rows = session.execute(
        select(Entry.number, Entry.body)
        .where(Entry.subject.in_(subjects), Entry.number <= size)
        .order_by(Entry.number)
    ).all()
    numbers = [row.number for row in rows]
    personal: dict[int, dict[str, dict[str, str]]] = {}
    for value in session.scalars(select(PersonalValue).where(PersonalValue.entry_number.in_(numbers))):
        personal.setdefault(value.entry_number, {})[value.field] = {
            "salt": base64.b64encode(value.salt).decode(),
            "value": value.value,
        }
    node = node_reader(session)
    return [
        ProvenEntry(
            row.number,
            row.body,
            personal.get(row.number, {}),
            tuple(base64.b64encode(step).decode() for step in inclusion_proof(node, row.number - 1, size)),
        )
        for row in rows
    ]
