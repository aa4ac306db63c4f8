"""Recording: every action adds an entry to the ledger in its own transaction.

The entry is written just before the commit, under the ledger's one lock, so that all other row locks are taken
earlier (no two transactions can wait for each other) and the lock is held for as short as can be. An order by
batches after the commit would cost nothing (13 to 23 % of inserts is what the lock costs, measured), but would
leave a window in which something happened that no entry tells of; that window is what the product must not have.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from portal.audit.fitting import SALT_BYTES
from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.model import Entry, Node, PersonalValue
from portal.audit.sealing import Sealed, keep_seals, list_digest, seals_of_touched
from portal.core.canonical import canonical_json
from portal.core.clock import now
from portal.core.database import before_commit, is_sqlite
from portal.core.language import Said
from portal.identity.actor import PORTAL, Actor

#: One arbitrary key for PostgreSQL's advisory lock: the ledger has one writer at a time.
LOCK_KEY = 0x636F756E74657273
#: Rows that tell what happened were written, and nothing else was to be said of it.
RECORDS_KEPT = "records:kept"


@dataclass(frozen=True, slots=True)
class _Waiting:
    tag: str
    subject: str
    actor: Actor
    facts: Mapping[str, Any]
    personal: Mapping[str, str]


def record(
    session: Session,
    tag: str,
    *,
    subject: str,
    actor: Actor,
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> None:
    """Add an entry when this transaction commits; if that fails, so does the transaction.

    `facts` are JSON values and hold nothing personal. `personal` values enter the tree only as salted
    commitments (HMAC-SHA256, 32-byte random salt), so that they can be erased later.
    """
    waiting: list[_Waiting] = session.info.setdefault("ledger", [])
    due(session)
    waiting.append(_Waiting(tag, subject, actor, dict(facts or {}), dict(personal or {})))


def name_of(actor: Actor) -> str:
    """The actor as entries name them, without anything personal."""
    return "portal" if actor.person_id is None else f"person:{actor.person_id}"


def commitment(salt: bytes, value: str) -> str:
    """What stands in the tree for a personal value."""
    return "hmac-sha256:" + hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()


def commitment_in_every_language(salt: bytes, value: Said) -> str:
    """What stands beside it for a value that is kept in several languages: over all of them."""
    return commitment(salt, canonical_json(value.languages).decode())


def due(session: Session) -> None:
    """Have the ledger written as the last thing of this transaction."""
    if not session.info.get("ledger_due"):
        session.info["ledger_due"] = True
        before_commit(session, lambda: _append_waiting(session))


def _append_waiting(session: Session) -> None:
    """Write the entries that wait, the last of them with the digest of all rows that were written beside them.

    A transaction that wrote such rows and recorded nothing is told of by an entry of its own.
    """
    session.flush()
    session.info.pop("ledger_due", None)
    waiting: list[_Waiting] = session.info.pop("ledger", [])
    sealed = seals_of_touched(session)
    if sealed and not waiting:
        waiting.append(_Waiting(RECORDS_KEPT, "records", PORTAL, {"records": len(sealed)}, {}))
    if not waiting:
        return
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    number = session.scalar(select(func.max(Entry.number))) or 0
    for item in waiting:
        number += 1
        rows = sealed if item is waiting[-1] else []
        _append(session, number, item, rows)
        keep_seals(session, number, rows)
    session.flush()


def _append(session: Session, number: int, item: _Waiting, rows: Sequence[Sealed]) -> None:
    at = now(session)
    commitments, in_languages = {}, {}
    for field, value in item.personal.items():
        salt = secrets.token_bytes(SALT_BYTES)
        commitments[field] = commitment(salt, value)
        if isinstance(value, Said):
            in_languages[field] = commitment_in_every_language(salt, value)
        session.add(PersonalValue(entry_number=number, field=field, salt=salt, value=value))
    actor = name_of(item.actor)
    told = {
        "number": number,
        "at": at.isoformat(),
        "tag": item.tag,
        "subject": item.subject,
        "actor": actor,
        "facts": item.facts,
        "personal": commitments,
    }
    if in_languages:
        told["languages"] = in_languages
    if rows:
        told["rows"] = list_digest((one.table, one.key, one.seal) for one in rows)
    body = canonical_json(told)
    session.add(
        Entry(
            number=number,
            at=at,
            tag=item.tag,
            subject=item.subject,
            actor=actor,
            body=body.decode(),
        )
    )
    _grow(session, number - 1, leaf_hash(body))


def _grow(session: Session, index: int, current: bytes) -> None:
    """Store the leaf's node and every subtree that it completes."""
    level, position = 0, index
    session.add(Node(level=level, position=position, hash=current))
    while position & 1:
        left = session.get_one(Node, (level, position - 1))
        current = node_hash(left.hash, current)
        level, position = level + 1, position >> 1
        session.add(Node(level=level, position=position, hash=current))
        session.flush()
