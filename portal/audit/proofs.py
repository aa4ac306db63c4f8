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
from portal.audit.tree import AT_ONCE, with_nodes


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
    """The entries about these subjects among the first `size`, in order, with their inclusion proofs.

    A few statements, however many entries there are.
    """
    rows = session.execute(
        select(Entry.number, Entry.body)
        .where(Entry.subject.in_(subjects), Entry.number <= size)
        .order_by(Entry.number)
    ).all()
    numbers = [row.number for row in rows]
    personal = _personal(session, numbers)
    proofs = with_nodes(session, lambda node: [inclusion_proof(node, number - 1, size) for number in numbers])
    return [
        ProvenEntry(
            row.number,
            row.body,
            personal.get(row.number, {}),
            tuple(base64.b64encode(step).decode() for step in proof),
        )
        for row, proof in zip(rows, proofs, strict=True)
    ]


def _personal(session: Session, numbers: Sequence[int]) -> dict[int, dict[str, dict[str, str]]]:
    found: dict[int, dict[str, dict[str, str]]] = {}
    for start in range(0, len(numbers), AT_ONCE):
        values = select(PersonalValue).where(PersonalValue.entry_number.in_(numbers[start : start + AT_ONCE]))
        for value in session.scalars(values.order_by(PersonalValue.entry_number, PersonalValue.field)):
            found.setdefault(value.entry_number, {})[value.field] = {
                "salt": base64.b64encode(value.salt).decode(),
                "value": value.value,
            }
    return found
