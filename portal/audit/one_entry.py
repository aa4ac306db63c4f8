"""One entry with all that proves it: its text as hashed, what its commitments stand for, and its way to a signed root."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.audit.entries import shown
from portal.audit.merkle import inclusion_proof
from portal.audit.model import Checkpoint, Entry, PersonalValue
from portal.audit.names import names_of
from portal.audit.tree import with_nodes
from portal.core.errors import NotFound
from portal.core.language import _

_REFERENCE = re.compile(r"SR-\d{6,9}")


@dataclass(frozen=True, slots=True)
class Opened:
    """One commitment, and the value and salt behind it; both are empty once it was erased."""

    field: str
    commitment: str
    value: str
    salt: str


@dataclass(frozen=True, slots=True)
class OneEntry:
    """Moments are UTC. `covered` is the first checkpoint over the entry, `latest` the last one; None before that."""

    number: int
    at: datetime
    tag: str
    subject: str
    actor: str
    about: str
    body: str
    leaf_hash: str
    facts: tuple[tuple[str, str], ...]
    opened: tuple[Opened, ...]
    rows: str
    covered: Checkpoint | None
    latest: Checkpoint | None
    proof: tuple[str, ...]
    #: The request whose page it belongs to, or an empty text.
    reference: str


def one_entry(session: Session, number: int, visible: ColumnElement[bool]) -> OneEntry:
    """The entry, if the reader may see it; five statements. Raises NotFound."""
    entry = session.scalars(select(Entry).where(Entry.number == number, visible)).one_or_none()
    if entry is None:
        raise NotFound(_("There is no such entry, or it is not yours to see."))
    told = json.loads(entry.body)
    covered, latest = _checkpoints(session, number)
    people = names_of(session, (entry.actor, entry.subject))
    return OneEntry(
        number=number,
        at=entry.at,
        tag=entry.tag,
        subject=entry.subject,
        actor=people.get(entry.actor, "Countersign"),
        about=people.get(entry.subject, ""),
        body=entry.body,
        leaf_hash=entry.leaf_hash.hex(),
        facts=tuple((name, shown(value)) for name, value in told["facts"].items()),
        opened=_opened(session, number, told["personal"]),
        rows=told.get("rows", ""),
        covered=covered,
        latest=latest,
        proof=_proof(session, number, latest),
        reference=_reference(entry.subject, told["facts"]),
    )


def _checkpoints(session: Session, number: int) -> tuple[Checkpoint | None, Checkpoint | None]:
    first = select(Checkpoint.size).where(Checkpoint.size >= number).order_by(Checkpoint.size).limit(1)
    last = select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(1)
    found = session.scalars(
        select(Checkpoint)
        .where((Checkpoint.size == first.scalar_subquery()) | (Checkpoint.size == last.scalar_subquery()))
        .order_by(Checkpoint.size)
    ).all()
    over = [one for one in found if one.size >= number]
    return (over[0], over[-1]) if over else (None, None)


def _opened(session: Session, number: int, commitments: dict[str, str]) -> tuple[Opened, ...]:
    if not commitments:
        return ()
    known = {
        value.field: value
        for value in session.scalars(select(PersonalValue).where(PersonalValue.entry_number == number))
    }
    return tuple(
        Opened(
            field,
            commitment,
            str(known[field].value) if field in known else "",
            base64.b64encode(known[field].salt).decode() if field in known else "",
        )
        for field, commitment in sorted(commitments.items())
    )


def _proof(session: Session, number: int, latest: Checkpoint | None) -> tuple[str, ...]:
    if latest is None:
        return ()
    size = latest.size
    steps = with_nodes(session, lambda node: inclusion_proof(node, number - 1, size))
    return tuple(base64.b64encode(step).decode() for step in steps)


def _reference(subject: str, facts: dict[str, Any]) -> str:
    named = [subject, *(value for value in facts.values() if isinstance(value, str))]
    for text in named:
        kind, _colon, rest = text.rpartition(":")
        if kind in {"", "request", "evidence"} and _REFERENCE.fullmatch(rest):
            return rest
    return ""
